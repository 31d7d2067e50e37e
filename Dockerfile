# The skyscript command. Build once, run as worker or as coordinator; see docker-compose.yml.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY . .
# The image has its own Node, and all native code comes ready in the packages: no install script needs to run.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  # ONNX Runtime's package holds the code for all systems: 245 MB more than this one needs.
  && cd node_modules/onnxruntime-node/bin/napi-v6 \
  && find . -mindepth 2 -maxdepth 2 ! -path "./linux/$(node -p process.arch)" -exec rm -r {} +

FROM node:24-bookworm-slim
ENV NODE_ENV=production SKYSCRIPT_CACHE=/cache
# A worker holds a fifth less memory: malloc keeps fewer freed pieces, and short-lived values are collected earlier.
ENV MALLOC_ARENA_MAX=2 NODE_OPTIONS=--max-semi-space-size=8
# A new volume takes over the owner of the folder that it is mounted on.
RUN install -d -o node -g node /cache /regions
WORKDIR /app
COPY --from=packages /app /app
USER node
ENTRYPOINT ["node", "/app/packages/worker/bin/skyscript.cjs"]
CMD ["--help"]
