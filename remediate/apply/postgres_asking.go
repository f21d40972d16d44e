package apply

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// asking collects statements of a batch that is done at once, each with what
// is expected of its answer, and sends them in one message.
type asking struct {
	a     *atOnce
	s     *postgresSession
	batch pgx.Batch
	err   error
}

// queue adds a statement. Without an expectation any answer but an error will do.
func (k *asking) queue(ctx context.Context, of, sql string, args ...any) *pgx.QueuedQuery {
	name, err := k.a.prepare(ctx, k.s.conn, of, sql)
	k.err = cmp.Or(k.err, err)
	return k.batch.Queue(name, args...)
}

// send has the statements carried out; errAtOnce says that an answer was not
// the one expected.
func (k *asking) send(ctx context.Context) error {
	if k.err != nil {
		return k.err
	}
	k.err = explain(ctx, "removing rows", k.s.conn.SendBatch(ctx, &k.batch).Close())
	k.batch = pgx.Batch{}
	return k.err
}

// first expects the table to be what it was, and gives back what the server
// counted before.
func (k *asking) first(ctx context.Context) effects {
	schema, table := plan.SplitName("postgres", k.s.w.Table.Table)
	k.queue(ctx, "table", queries.Postgres("apply_table"), schema, table).QueryRow(func(row pgx.Row) error {
		var now facts
		if err := now.read(row); err != nil || now != k.a.o.facts {
			return cmp.Or(err, errAtOnce)
		}
		return nil
	})
	k.queue(ctx, "columns", queries.Postgres("apply_columns"), k.a.o.facts.oid).Query(func(rows pgx.Rows) error {
		columns, err := readColumns(rows)
		return cmp.Or(err, sameColumns(k.s.w, columns))
	})
	return k.effects(ctx)
}

// effects is filled with the server's counts when the answer comes.
func (k *asking) effects(ctx context.Context) effects {
	out := effects{}
	k.queue(ctx, "effects", queries.Postgres("apply_effects"), k.s.counted()).Query(out.read)
	return out
}

// clean expects just what goes to have been deleted.
func (k *asking) clean(ctx context.Context, part *sight) {
	k.queue(ctx, "clean", k.s.sql.CleanSeen(), part.goneArgs()...).Exec(func(tag pgconn.CommandTag) error {
		if int(tag.RowsAffected()) != len(part.gone.groups) {
			return errAtOnce
		}
		return nil
	})
}

// free is filled with how many survivors of each portion nobody has locked.
func (k *asking) free(ctx context.Context, parts []*sight) []int {
	free := make([]int, len(parts))
	for i, part := range parts {
		k.queue(ctx, "free", k.s.sql.SeenFree(), part.kept.args()...).QueryRow(func(row pgx.Row) error {
			var groups int
			if err := row.Scan(&free[i], &groups); err != nil || free[i] != groups {
				return cmp.Or(err, errAtOnce)
			}
			return nil
		})
	}
	return free
}
