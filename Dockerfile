# The relay alone: one static binary and the certificates of the public CAs.
# Both bases are arguments, so that a mirror or a local stand-in can take their
# place; scratch will do for BASE_RUN.
ARG BASE_BUILD=docker.io/library/golang:1.26
ARG BASE_RUN=gcr.io/distroless/static-debian12:nonroot

FROM ${BASE_BUILD} AS build
WORKDIR /src
ARG GOPROXY=https://proxy.golang.org,direct
ENV CGO_ENABLED=0 GOWORK=off GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# Empty is the platform that builds. BuildKit fills them in by itself.
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath \
    -ldflags "-s -w -X github.com/holysheep/relay/server.version=${VERSION}" -o /relay .

FROM ${BASE_RUN}
ARG VERSION=dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="holysheep-relay" \
      org.opencontainers.image.description="An OpenAI-compatible relay in front of LLM upstreams" \
      org.opencontainers.image.source="https://github.com/holysheep/relay" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /relay /relay
# The number, not a name: Kubernetes can tell that it is not root, and scratch
# has no names.
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/relay"]
CMD ["serve", "--config", "/etc/holysheep-relay/relay.yaml"]
