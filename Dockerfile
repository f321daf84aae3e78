# A registered selector as a service: POST /invocations with {"dataframe_split": {"columns": ["question"], "data": [["..."]]}}
#
#   mlflow artifacts download -u models:/skillshot-selector@champion -d served
#   docker build -t skillshot --build-arg MODEL=served . && docker run -p 8080:8080 skillshot
FROM python:3.11-slim
ARG MODEL=served
ENV PYTHONDONTWRITEBYTECODE=1 MLFLOW_DISABLE_TELEMETRY=true OMP_NUM_THREADS=1
# the model brings its pinned requirements, the bundle and the code that made it
COPY ${MODEL}/requirements.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt && useradd --create-home served
COPY ${MODEL} /opt/model
USER served
EXPOSE 8080
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/ping')"]
CMD ["mlflow", "models", "serve", "-m", "/opt/model", "--env-manager", "local", "--host", "0.0.0.0", "--port", "8080"]
