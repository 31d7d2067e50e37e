# The skyscript command. Build once, run as worker or as coordinator; see docker-compose.yml.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY . .
# The image has its own Node, and all native code comes ready in the packages: no install script needs to run.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production SKYSCRIPT_CACHE=/cache
# A new volume takes over the owner of the folder that it is mounted on.
RUN install -d -o node -g node /cache /regions
WORKDIR /app
COPY --from=packages /app /app
USER node
ENTRYPOINT ["node", "/app/packages/worker/bin/skyscript.cjs"]
CMD ["--help"]
