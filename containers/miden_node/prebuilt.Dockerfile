# A one-node Miden network out of binaries that lie beside this file: miden-node, miden-validator.
#   docker build -f prebuilt.Dockerfile -t miden-node-for-tests .
ARG BASE_IMAGE=debian:bookworm-20250520-slim
FROM ${BASE_IMAGE}
COPY miden-node miden-validator /usr/local/bin/
# Everything from here on is the same in all three Dockerfiles; a test compares them.
COPY entrypoint.sh healthcheck.sh /usr/local/bin/
RUN { test -e /etc/ssl/certs/ca-certificates.crt && ldconfig -p | grep -q 'libstdc++\.so\.6'; } || { \
        apt-get update \
        && apt-get install --yes --no-install-recommends ca-certificates libstdc++6 \
        && rm -rf /var/lib/apt/lists/*; }
RUN for name in miden-node miden-validator; do \
        said=$($name --version 2>&1) || { echo "UNUSABLE $name does not run: $said"; exit 1; }; \
        said=$(echo "$said" | head -n 1); \
        test "$said" = "$name 0.15.2" \
            || { echo "UNUSABLE $name says '$said', wanted '$name 0.15.2'"; exit 1; }; \
    done
RUN useradd --system --uid 10001 --home-dir /data --no-create-home miden \
    && mkdir -m 0755 /data && chown miden /data \
    && chmod 0755 /usr/local/bin/entrypoint.sh /usr/local/bin/healthcheck.sh
USER 10001
WORKDIR /data
ENV NO_COLOR=1 \
    RUST_LOG=info \
    MIDEN_NODE_BLOCK_INTERVAL=1s \
    MIDEN_NODE_BATCH_INTERVAL=500ms \
    MIDEN_NODE_RPC_RATE_LIMIT_BURST_SIZE=10000 \
    MIDEN_NODE_RPC_RATE_LIMIT_REPLENISH_PER_SECOND=10000
EXPOSE 57291
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["healthcheck.sh"]
ENTRYPOINT ["entrypoint.sh"]
