FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc .swcrc ./
RUN npm ci
COPY src src
COPY migrations migrations
RUN npm run build

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY --from=build /app/dist dist
USER node
EXPOSE 4000
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
