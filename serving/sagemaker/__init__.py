"""The model deployer ``sentiment_sagemaker``: Bentos as an endpoint of Amazon SageMaker."""
