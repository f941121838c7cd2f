# Any image with Go and a bundle of CA certificates builds this; the result is a static binary on an empty image.
ARG BUILD_IMAGE=golang:1.26-bookworm
ARG BASE_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Empty: the version that the source names.
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w ${VERSION:+-X main.version=${VERSION}}" -o /image/usr/local/bin/gatehouse ./cmd/gatehouse
# New volumes take the owner of the folder they are mounted on, and only this build has a shell to make folders with.
RUN mkdir -p /image/opt/data/db /image/opt/data/github-cache /image/opt/data/storage

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.description="A private npm registry whose permissions come from GitHub"
# GitHub is asked over HTTPS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /image/usr /usr
COPY --from=build --chown=65532:65532 /image/opt/data /opt/data

ENV GATEHOUSE_METADATA__LEVELDB__PATH=/opt/data/db \
    GATEHOUSE_AUTH__GITHUB__CACHE__PATH=/opt/data/github-cache \
    GATEHOUSE_STORAGE__LOCAL__PATH=/opt/data/storage
VOLUME ["/opt/data/db", "/opt/data/github-cache", "/opt/data/storage"]
USER 65532:65532
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/local/bin/gatehouse", "health"]
ENTRYPOINT ["/usr/local/bin/gatehouse"]
CMD ["serve"]
