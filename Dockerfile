# What is installed and what is ours are made apart, so that a change to the code leaves the packages'
# layer alone; the third stage holds nothing else. No line needs BuildKit, which
# `gcloud run deploy --source` does not promise.
ARG PYTHON=3.13

FROM python:${PYTHON} AS packages
# requirements-otlp.txt adds what sends traces and metrics to a collector.
ARG REQUIREMENTS=requirements.txt
WORKDIR /app
COPY ${REQUIREMENTS} requirements.lock
# The environment has no pip of its own: nothing can be installed into the image while it runs.
# Faker makes up the examples of Litestar's OpenAPI pages, which are off; it and what debuggers read
# are a third of the size. A copy may change a file's time: bytecode that does not look at it stays
# valid, and saves a second at every start.
RUN python -m venv --without-pip .venv \
 && pip --python .venv install --no-cache-dir --no-compile --no-deps --disable-pip-version-check \
    --require-hashes --only-binary=:all: --requirement requirements.lock \
 && pip --python .venv uninstall --yes faker \
 && find .venv -depth -type d -name tests -exec rm -r {} + \
 && find .venv -type f -name '*.so' -exec strip --strip-debug {} + \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .venv

FROM python:${PYTHON} AS code
WORKDIR /app
COPY service service
# Someone's umask may have kept the files to themselves.
RUN chmod -R u=rwX,go=rX service \
 && python -m compileall -q --invalidation-mode unchecked-hash service

FROM python:${PYTHON}-slim
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY --from=code /app/service service
# Everyone may read what is here, and nobody may change it: the files are root's.
ENV PATH=/app/.venv/bin:$PATH HOME=/nonexistent HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Where it listens unless PORT says otherwise.
EXPOSE 8080
ENTRYPOINT ["python", "-m", "service"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gemini-openai-gateway" \
      org.opencontainers.image.description="Gemini behind the OpenAI API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim" \
      org.opencontainers.image.revision="${REVISION}"
