"""MLflow, in its one place: runs, registered versions and their aliases."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import DatasetInput, InputTag, Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT
from sqlalchemy.exc import SQLAlchemyError

from configs.errors import SwitchboardError
from configs.paths import PROJECT, tracking_uri, var_dir
from training.bundle import bundle_digest

MODEL_NAME = "switchboard"
EXPERIMENT = "switchboard"
CHALLENGER, CHAMPION = "challenger", "champion"
BUNDLE_ARTIFACT = "bundle"
_BATCH = 500  # metrics in one call
_UNKNOWN = "RESOURCE_DOES_NOT_EXIST"  # MLflow's code for what was never made
EXPERIMENT_TAG = "experiment"  # on versions that learnt from what may not ship: promoted by force only


@dataclass(frozen=True, slots=True)
class Version:
    """A registered model: its number, aliases, run and the figures logged with it."""

    version: str
    aliases: tuple[str, ...]
    run_id: str
    created_ms: int
    digest: str
    metrics: dict[str, float]
    tags: dict[str, str]


class Run:
    """A run in progress: everything logged here stands in MLflow under one id."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client, self.id = client, run_id

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record what was chosen, by name."""
        for name, value in params.items():
            self._client.log_param(self.id, name, str(value)[:500])

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Record figures, by name; those that are not finite are left out."""
        now = int(time.time() * 1000)
        found = [Metric(name, float(value), now, step) for name, value in metrics.items() if isfinite(value)]
        for at in range(0, len(found), _BATCH):
            self._client.log_batch(self.id, metrics=found[at : at + _BATCH])

    def log_text(self, text: str, name: str) -> None:
        """Keep a text as an artefact of the run."""
        self._client.log_text(self.id, text, name)

    def log_files(self, folder: Path, name: str) -> None:
        """Keep a folder as artefacts of the run."""
        self._client.log_artifacts(self.id, str(folder), name)

    def log_data(self, name: str, fingerprint: str, rows: Mapping[str, int]) -> None:
        """Record the training data as an MLflow data set: its name, digest and size, no texts."""
        frame = pd.DataFrame({"part": list(rows), "rows": [float(count) for count in rows.values()]})
        described = from_pandas(frame, name=name, digest=fingerprint[:36])
        context = InputTag(MLFLOW_DATASET_CONTEXT, "training")
        self._client.log_inputs(self.id, datasets=[DatasetInput(described._to_mlflow_entity(), [context])])


class Registry:
    """Runs and registered versions under one tracking address; SQLite under the run-time folder by default."""

    def __init__(self, uri: str | None = None) -> None:
        self.uri = uri or tracking_uri()
        if self.uri.startswith("sqlite:///"):
            Path(self.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        with self._answering():
            self._client = MlflowClient(self.uri, self.uri)

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str] | None = None, resume: str = "") -> Iterator[Run]:
        """Open a run, or go on in the one with the id `resume`; it ends `FINISHED`, or `FAILED` where the body raises."""
        run = Run(self._client, self._reopened(resume) or self._opened(name, tags or {}))
        try:
            yield run
        except BaseException:
            self._client.set_terminated(run.id, "FAILED")
            raise
        self._client.set_terminated(run.id, "FINISHED")

    def register(self, run: Run, bundle: Path, tags: Mapping[str, str]) -> str:
        """Log a sealed bundle and register it as a new version with the alias `challenger`; once a run."""
        for version in self.versions():
            if version.run_id == run.id:
                self.point(CHALLENGER, version.version)
                return version.version
        run.log_files(bundle, BUNDLE_ARTIFACT)
        self._ensure_model()
        source = f"{self._client.get_run(run.id).info.artifact_uri}/{BUNDLE_ARTIFACT}"
        made = self._client.create_model_version(
            MODEL_NAME, source, run.id, tags={"digest": bundle_digest(bundle), **tags}
        )
        self._client.set_registered_model_alias(MODEL_NAME, CHALLENGER, made.version)
        return str(made.version)

    def versions(self) -> list[Version]:
        """Return every registered version, newest first."""
        with self._answering():
            try:
                aliases = self._client.get_registered_model(MODEL_NAME).aliases
            except MlflowException as error:
                if error.error_code == _UNKNOWN:
                    return []
                raise
            found = [self._describe(one, aliases) for one in self._client.search_model_versions(f"name='{MODEL_NAME}'")]
        return sorted(found, key=lambda one: int(one.version), reverse=True)

    def find(self, wanted: str) -> Version:
        """Return a version by its number or alias, with or without `models:/switchboard/` or `@` before it."""
        key = wanted.removeprefix("models:/").removeprefix(MODEL_NAME).lstrip("/@").removeprefix("v")
        versions = self.versions()
        for version in versions:
            if key == version.version or key in version.aliases:
                return version
        known = ", ".join(version.version for version in versions) or "none yet; train one first"
        raise SwitchboardError(f"no model version or alias {wanted!r}; registered versions: {known}")

    def with_digest(self, digest: str) -> Version:
        """Return the newest version whose bundle has a digest: numbers begin anew with a new registry, digests do not."""
        for version in self.versions():
            if version.digest == digest:
                return version
        raise SwitchboardError(f"{self.uri}: no version has the digest {digest[:12]}")

    def fetch(self, version: Version) -> Path:
        """Return a folder under the run-time folder that holds the version's bundle."""
        folder = var_dir() / "bundles" / f"v{version.version}-{version.digest[:12]}"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with self._answering(), tempfile.TemporaryDirectory(dir=folder.parent) as waiting:
                loaded = self._client.download_artifacts(version.run_id, BUNDLE_ARTIFACT, waiting)
                Path(loaded).rename(folder)
        return folder

    def text(self, version: Version, name: str) -> str:
        """Return a text that the version's run kept, or nothing where it kept none of that name."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                return Path(self._client.download_artifacts(version.run_id, name, folder)).read_text(encoding="utf-8")
            except (MlflowException, OSError):
                return ""

    def note(self, version: Version, tags: Mapping[str, str], texts: Mapping[str, str]) -> None:
        """Put tags on a version and texts into its run, in place of earlier ones of the same names."""
        with self._answering():
            for name, text in texts.items():
                self._client.log_text(version.run_id, text, name)
            for name, value in tags.items():
                self._client.set_model_version_tag(MODEL_NAME, version.version, name, value)

    def point(self, alias: str, version: str) -> None:
        """Move an alias to a version."""
        with self._answering():
            self._client.set_registered_model_alias(MODEL_NAME, alias, version)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn whatever MLflow, its database or its store of artefacts raise into one line."""
        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise SwitchboardError(f"{self.uri}: the registry does not answer: {str(error).splitlines()[0]}") from None

    def _opened(self, name: str, tags: Mapping[str, str]) -> str:
        made = self._client.create_run(self._experiment(), run_name=name, tags={"commit": commit(), **tags})
        return str(made.info.run_id)

    def _reopened(self, run_id: str) -> str:
        """Return the id of a run that can be gone on in, running again, or nothing."""
        if not run_id:
            return ""
        try:
            status = self._client.get_run(run_id).info.status
        except MlflowException:  # the registry is another one, or was emptied
            return ""
        if status == "FINISHED":
            return ""
        self._client.update_run(run_id, status="RUNNING")
        return run_id

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return found.experiment_id
        local = self.uri.startswith("sqlite:///")
        return self._client.create_experiment(EXPERIMENT, str(var_dir() / "mlartifacts") if local else None)

    def _ensure_model(self) -> None:
        try:
            self._client.get_registered_model(MODEL_NAME)
        except MlflowException:
            self._client.create_registered_model(MODEL_NAME, description="Messages to spam and seven segments")

    def _describe(self, found: ModelVersion, aliases: Mapping[str, str]) -> Version:
        names = tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(found.version)))
        metrics = dict(self._client.get_run(str(found.run_id)).data.metrics)
        tags = dict(found.tags or {})
        return Version(
            str(found.version), names, str(found.run_id), int(found.creation_timestamp or 0), tags.get("digest", ""),
            metrics, tags,
        )  # fmt: skip


def fetch_bundle(address: str) -> Path:
    """Return the bundle folder for `models:/switchboard/3`, an alias, or a version number."""
    registry = Registry()
    return registry.fetch(registry.find(address))


def commit() -> str:
    """Return the code's commit, with `-dirty` where files differ from it, or `unknown` outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=PROJECT, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
