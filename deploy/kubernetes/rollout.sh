#!/usr/bin/env bash
# Rolls an image out to the cluster of kubectl, runs the smoke test there, and rolls back to the
# previous revision if it fails: deploy/kubernetes/rollout.sh IMAGE [STACK]
# SENTIMENT_TOKEN is one of the cluster's bearer tokens. STACK is the stack that recorded the version's evaluation.
set -euo pipefail
image=${1:?name the image, with its digest: make rollout IMAGE=ghcr.io/owner/sentiment@sha256:...}
stack=${2:-}
cd "$(dirname "$0")/../.."
deployment=deployment/sentiment
http=${ROLLOUT_HTTP_PORT:-13000} grpc=${ROLLOUT_GRPC_PORT:-13001} # ports on this machine, while the test runs
forward=

before=$(kubectl get "$deployment" --ignore-not-found \
    --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')

# shellcheck disable=SC2317,SC2329 # called by the trap
finish() {
    code=$?
    trap - EXIT
    [ -z "$forward" ] || kill "$forward" 2>/dev/null || true
    if [ "$code" != 0 ]; then
        if [ -n "$before" ]; then
            echo "error: $image failed: rolling back to revision $before" >&2
            kubectl rollout undo "$deployment" --to-revision="$before"
            kubectl rollout status "$deployment" --timeout=5m
        else
            echo "error: $image failed, and there is no previous revision to roll back to" >&2
        fi
    fi
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

for manifest in deploy/kubernetes/*.yaml; do
    echo '---'
    sed "s|^\( *image:\) sentiment:latest$|\1 $image|" "$manifest"
done | kubectl apply --filename -
kubectl rollout status "$deployment" --timeout=5m

kubectl port-forward service/sentiment "$http:3000" "$grpc:3001" >/dev/null &
forward=$!
for _ in $(seq 30); do
    curl --silent --fail --output /dev/null "http://127.0.0.1:$http/readyz" && break
    sleep 1
done
# the latency includes the tunnel
make smoke "HTTP=http://127.0.0.1:$http" "GRPC=127.0.0.1:$grpc" "STACK=$stack" SET=smoke.p95_ms=1000
