"""The BentoML service: HTTP and gRPC over one classifier, its builder and its client."""
