# The front door. Everything here also works through meson: `meson setup build && meson compile -C build`.
BUILD := build

.PHONY: run build soak test faults ear bench figures check format lint sanitize fuzz clean help

run: build
	$(BUILD)/auralis serve

build:
	@scripts/setup build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD)

test: build
	@scripts/setup test
	@scripts/check_architecture
	@meson test -C $(BUILD) --print-errorlogs --num-processes 3 || \
	  { scripts/failures $(BUILD)/meson-logs/testlog.json; exit 1; }

# ONLY=name,name: these faults alone, and no page.
faults: build
	@scripts/setup faults
	@scripts/faults $(BUILD)/auralis $(if $(ONLY),--only $(ONLY))

ear: build
	@scripts/setup ear
	@scripts/ear $(BUILD)

bench: build
	@for name in $$($(BUILD)/auralis bench --list); do $(BUILD)/auralis bench $$name; done

figures: build
	@scripts/measure $(BUILD)/auralis

check: build
	@scripts/check_architecture

# make soak PROGRAMME=2h REAL=0; with SANITIZE=1 an hour of programme in instrumented builds.
PROGRAMME := $(if $(SANITIZE),1h,24h)
REAL := 35m
soak: build
ifdef SANITIZE
	@scripts/setup develop
	@scripts/soak_sanitized $(PROGRAMME)
else
	@scripts/soak $(BUILD)/auralis --programme $(PROGRAMME) --real $(REAL) --doc doc/soak.md
endif

format:
	@scripts/setup develop
	clang-format -i $$(git ls-files 'src/*.c' 'src/*.h')

lint: build
	@scripts/setup develop
	@scripts/lint $(BUILD)

sanitize:
	@scripts/setup develop
	@scripts/sanitize

fuzz:
	@scripts/setup develop
	@scripts/fuzz

clean:
	rm -rf $(BUILD) build-*

help:
	@echo 'make run       install what is missing, build, serve on http://localhost:8000'
	@echo 'make test      likewise, and run every test'
	@echo 'make faults    some 15 minutes of harm, and who noticed: writes doc/reliability.md; ONLY=name,name'
	@echo 'make ear       listens to an hour of each scene and a day of one: writes doc/sound.md; an hour and a half'
	@echo 'make build     leaves build/auralis'
	@echo 'make bench     all benchmarks'
	@echo 'make figures   measures everything and writes doc/performance.md'
	@echo 'make check     builds, and holds the includes against the table in ARCHITECTURE.md'
	@echo 'make sanitize  the tests under AddressSanitizer + UBSan, ThreadSanitizer and Valgrind; most of an hour'
	@echo 'make soak      24 h of programme on a fast clock and 35 min of it in real time; doc/soak.md'
	@echo 'make fuzz      a minute of libFuzzer on each of ten parsers; FUZZ_SECONDS=600'
	@echo 'make lint      clang-tidy and cppcheck'
	@echo 'make format    clang-format over the tree'
	@echo 'make clean     removes what was built'
