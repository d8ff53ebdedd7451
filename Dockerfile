# Two images from one file: `symbolon`, the service, and `rooms`, the example beside it.
#
#   docker build -t symbolon .
#   docker build -t symbolon-rooms --target rooms .

# What the service depends on, built around an empty crate: a layer that is made anew only when
# Cargo.toml or Cargo.lock change.
FROM rust:1-bookworm AS dependencies
# OpenSSL is Debian's, here and below: the certificates bring it along anyway, and who mends it is
# Debian, by a new base image. SQLite and libpq are built in.
ENV OPENSSL_NO_VENDOR=1
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# Cargo wants to see the one test whose path Cargo.toml leaves out.
RUN mkdir src tests \
    && echo 'fn main() {}' >src/main.rs \
    && touch src/lib.rs tests/docs.rs \
    && cargo build --release --locked --bin symbolon \
    && cargo clean --release --package symbolon

FROM dependencies AS build
COPY askama.toml ./
COPY clients/javascript/symbolon.js clients/javascript/
COPY migrations migrations/
COPY web web/
COPY src src/
RUN cargo build --release --locked --bin symbolon

# It knows nothing of the service but the verifier, and is built without the rest.
FROM dependencies AS build-rooms
COPY src src/
COPY examples/rooms examples/rooms/
RUN cargo build --release --locked --example rooms --no-default-features --features verifier

FROM debian:bookworm-slim AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 symbolon \
    && useradd --uid 10001 --gid symbolon --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin symbolon
STOPSIGNAL SIGTERM

FROM runtime AS rooms
COPY --from=build-rooms /build/target/release/examples/rooms /usr/local/bin/rooms
# Not Symbolon's user, whose secrets it has no use for.
USER 10002:10002
ENV BIND=0.0.0.0:3000
EXPOSE 3000
CMD ["rooms"]

FROM runtime AS symbolon
COPY --from=build /build/target/release/symbolon /usr/local/bin/symbolon
# The only folder that is written to. With PostgreSQL, SMTP and a JWT_SECRET nothing is.
RUN install -d -m 700 -o symbolon -g symbolon /var/lib/symbolon
VOLUME /var/lib/symbolon
WORKDIR /var/lib/symbolon
USER 10001:10001
ENV BIND=0.0.0.0:8080 DATA_DIR=/var/lib/symbolon
EXPOSE 8080
# SIGTERM lets requests under way end, for 25 s at most: `docker run --stop-timeout 30`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 \
    CMD ["symbolon", "healthcheck"]
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Symbolon" \
    org.opencontainers.image.description="Signs people in and keeps them signed in: access and refresh tokens over HTTP" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
ENTRYPOINT ["symbolon"]
CMD ["serve"]
