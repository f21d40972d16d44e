package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
)

// planOptions is what `plan` was asked.
type planOptions struct {
	keep, differing string
	migrations      string
	migrationsDir   string
	indexName       string
	decisions       string
	strategy        string
	cleanOnly       bool
	// keepOf are rules by the names of entries, which go before keep and the configuration.
	keepOf map[string]string
	// source is the database that ranks rows where a rule is SQL; "" finds it as apply does.
	source string
	// keepGiven and differingGiven are true where the flag was given, which
	// goes before what the configuration says.
	keepGiven, differingGiven bool
}

const planHelp = `EXAMPLE
   twinrow plan incident --migrations wrangler --migrations-dir migrations

WHICH ROW STAYS
   An ordering (--keep "seen_at DESC NULLS LAST, id", or keep: in twinrow.yaml) and invariants:
   are SQL over the table's row. The database ranks the rows of the groups by them, read-only:
   SOURCE, else $DATABASE_URL, else where the case was scanned. For a file an ordering is of
   columns alone. Rows that the ordering does not tell apart go by the lowest id. A group with rows for
   which an invariant is true keeps one of them, or is held.`

func (p *program) cmdPlan() *cli.Command {
	return command(cli.Command{
		Name:        "plan",
		Usage:       "choose survivors and write the clean-up as a plan and as SQL, changing nothing",
		UsageText:   "twinrow plan CASE [SOURCE] [--keep RULE|ORDER] [--decisions FILE] [--migrations KIND --migrations-dir DIR]",
		Description: planHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "keep", Value: survivor.Default, Usage: "`RULE` for the row that stays: " + strings.Join(survivor.Names, ", ") + ", or an ordering as in ORDER BY, \"seen_at DESC NULLS LAST, id\""},
			&cli.StringFlag{Name: "differing", Value: plan.Hold, Usage: "`RULE` for groups whose copies differ: " + plan.Hold + ", " + plan.KeepSurvivor + ", " + plan.Merge},
			&cli.StringFlag{Name: "decisions", Usage: "`FILE` of a person's choices: the CSV of the report with its keep column filled in for every held group"},
			&cli.StringFlag{Name: "strategy", Value: plan.Auto, Usage: "`WAY` to clean: atomic (one transaction, writers wait), online (Postgres: writers go on), or auto, which is online for a large table"},
			&cli.StringFlag{Name: "index-name", Usage: "`NAME` of the index (default: made of the table and the key)"},
			&cli.StringFlag{Name: "migrations", Usage: "`KIND` of migration: " + strings.Join(dialect.MigrationKinds(), ", ") + " (default: wrangler for D1, else plain)"},
			&cli.StringFlag{Name: "migrations-dir", Usage: "`DIR` of the team's migrations, whose numbers are continued (default: in the case)"},
			formatFlag("table", "table", "json"),
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE", "[SOURCE]")
			if err != nil {
				return err
			}
			format, err := chosenFormat(c, "table", "json")
			if err != nil {
				return err
			}
			if s := c.String("strategy"); !slices.Contains(plan.Strategies, s) {
				return oneOf("--strategy", s, plan.Strategies)
			}
			made, err := p.plan(c.Context, args[0], planOptions{
				keep: c.String("keep"), keepGiven: c.IsSet("keep"), differing: c.String("differing"), differingGiven: c.IsSet("differing"),
				migrations: c.String("migrations"), migrationsDir: c.String("migrations-dir"), indexName: c.String("index-name"),
				decisions: c.String("decisions"), strategy: c.String("strategy"), source: args[1],
			})
			if err != nil {
				return err
			}
			if format == "json" {
				return p.writeJSON(made)
			}
			p.printPlan(args[0], made)
			return nil
		},
	})
}

// plan makes the plan and its files and stores them in the case.
func (p *program) plan(ctx context.Context, dir string, o planOptions) (*plan.Plan, error) {
	opened, err := casefile.Open(dir)
	if err != nil {
		return nil, err
	}
	rules, err := p.configOf(opened)
	if err != nil {
		return nil, err
	}
	entries, err := p.entryRules(ctx, opened, rules, o)
	if err != nil {
		return nil, err
	}
	decisions, err := p.decisions(opened, o.decisions)
	if err != nil {
		return nil, err
	}
	made, err := plan.Make(opened, plan.Options{Decisions: decisions, Tool: tool(), Differing: o.differing, Rules: entries, IndexName: o.indexName, Strategy: o.strategy, CleanOnly: o.cleanOnly})
	if err != nil {
		return nil, err
	}
	files, err := dialect.Files(opened, made, dialect.Options{Migrations: o.migrations, MigrationsDir: o.migrationsDir})
	if err != nil {
		return nil, err
	}
	return made, plan.Write(dir, made, files)
}
