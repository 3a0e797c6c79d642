"""One ZenML step a file: takes typed artifacts, calls ``sentiment``, returns typed artifacts."""
