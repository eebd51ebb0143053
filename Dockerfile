# A server for a workshop: the course, or with `vgglab dashboard` as its command the dashboard alone.
#   docker build --tag vgglab .
#   docker run --rm --publish 8888:8888 --volume vgglab:/home/learner vgglab
#   docker run --rm --publish 8866:8866 --volume vgglab:/home/learner vgglab vgglab dashboard --no-browser --ip=0.0.0.0
# It prints the address with the token that everybody needs. What is sent is not encrypted: outside of a room that you
# trust, put a proxy with TLS in front of it.
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 learner
WORKDIR /opt/vgglab
COPY requirements.lock ./
RUN pip install --no-cache-dir --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY vgglab ./vgglab
COPY data ./data
COPY notebooks ./notebooks
RUN pip install --no-cache-dir --no-deps .

USER learner
# The lessons, the runs and the cache are written here, and outlive the container in a volume.
WORKDIR /home/learner
ENV MPLCONFIGDIR=/home/learner/.cache/matplotlib
VOLUME /home/learner
EXPOSE 8888 8866
HEALTHCHECK --interval=30s --start-period=60s CMD ["python", "-c", "import socket; any(not socket.socket().connect_ex(('127.0.0.1', port)) for port in (8888, 8866)) or exit(1)"]
CMD ["vgglab", "lab", "--no-browser", "--ip=0.0.0.0", "--folder=course"]
