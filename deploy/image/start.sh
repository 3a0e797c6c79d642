#!/bin/sh
# Starts the service. SageMaker passes the argument `serve` alone, and expects port 8080 unless it names another one.
set -eu
if [ "$*" = serve ]; then
    export BENTOML_PORT="${SAGEMAKER_BIND_TO_PORT:-8080}"
    set -- serve --timeout-graceful-shutdown 20
fi
exec python3 -m bentoml "$@"
