"""Start sekmet-fhir (a FHIR server that strangers wrote) on 127.0.0.1 and a free port, with an empty database.

Runs in the server's own virtual environment, not in ours. Its table of search parameters leaves out the types that a
recovery app lives by (QuestionnaireResponse, Questionnaire, Goal …); it stores them all the same. They are added here
from our `search_parameters.toml`, as an operator would add SearchParameter resources.
Prints `ready BASE`; ends when standard input ends.
Usage: sekmet_launcher.py FOLDER SEARCH_PARAMETERS
"""

import os
import socket
import sys
import threading
import tomllib
from pathlib import Path

import uvicorn
from sekmet.config import Settings, SimulatorSettings, set_settings
from sekmet.fhir import search_params
from sekmet.main import create_app


def add_search_parameters(file: Path) -> None:
    for kind, section in tomllib.loads(file.read_text(encoding="utf-8")).items():
        known = search_params.PARAMS.setdefault("*" if kind == "_common" else kind, {})
        for name, param in section.get("params", {}).items():
            how = "uri" if param["kind"] == "canonical" else param["kind"]
            paths = tuple(param["path"].split("|"))
            known.setdefault(name, search_params.SearchParam(name, how, paths, param.get("target")))


def main(folder: str, parameters: str) -> None:
    add_search_parameters(Path(parameters))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    base = f"http://127.0.0.1:{port}/fhir"
    settings = Settings(
        base_url=base,
        host="127.0.0.1",
        port=port,
        data_dir=folder,
        own_private_key_path=f"{folder}/key.pem",
        simulator=SimulatorSettings(enabled=False),
        log_inbound=False,
    )
    set_settings(settings)
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))

    def end_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_input, daemon=True).start()
    os.write(1, f"ready {base}\n".encode())
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
