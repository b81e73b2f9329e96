FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc .swcrc ./
RUN npm ci
COPY src src
COPY migrations migrations
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY --from=build /app/dist dist
# For the commands that people type: docker compose exec api npm run api-key
COPY scripts/run.js scripts/run.js
# DATA_FOLDER, where e-mails are written while there is no mail server. It is made here, and not when the server starts:
# node may not make folders in /app, and a new volume takes over the owner of the folder that it is mounted on.
RUN install --directory --owner=node --group=node --mode=700 .quittance
USER node
EXPOSE 4000
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
