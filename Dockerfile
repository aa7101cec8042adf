# The image of script/image, for those who have a container engine: the same files, made by the same script.
#
#   docker build --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) --build-arg REVISION=$(git rev-parse HEAD) -t ampari .
FROM debian:12-slim AS build
# As the first group of script/bootstrap.
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    g++ cmake ninja-build pkg-config git ca-certificates python3 \
    protobuf-compiler protobuf-compiler-grpc libgrpc++-dev libprotobuf-dev librocksdb-dev libsnappy-dev \
    libcurl4-openssl-dev libbenchmark-dev libmicrohttpd-dev libyaml-cpp-dev libre2-dev libspdlog-dev libcli11-dev \
    prometheus-cpp-dev libzstd-dev zlib1g-dev libxxhash-dev libssl-dev libabsl-dev libgtest-dev libgmock-dev
WORKDIR /src
COPY . .
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH script/image --rootfs /rootfs

FROM scratch
ARG REVISION=
COPY --from=build /rootfs/ /
ENV PATH=/usr/bin
USER 65532:65532
LABEL org.opencontainers.image.title="Ampari" org.opencontainers.image.revision=$REVISION
