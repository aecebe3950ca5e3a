# The command underpin: docker build -t underpin . && docker run --rm underpin --help
FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package underpin-cli

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/dist/underpin /usr/local/bin/underpin
WORKDIR /work
ENTRYPOINT ["underpin"]
