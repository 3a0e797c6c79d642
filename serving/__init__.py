"""The live service as a stack component: ZenML's model deployer, the nginx front, rollouts."""
