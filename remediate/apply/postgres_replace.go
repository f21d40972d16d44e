package apply

import (
	"context"

	"twinrow/remediate/plan"
)

// dropInvalid drops an index of the plan's name whose build failed.
func (o *postgresOnline) dropInvalid(ctx context.Context) error {
	return o.exec(ctx, "dropping the index", o.sql.DropInvalid())
}

// dropIndex drops the index of the plan's name.
func (o *postgresOnline) dropIndex(ctx context.Context) error {
	return o.exec(ctx, "dropping the index", o.sql.DropIndex())
}

// dropReplaced drops the index that the new one replaces.
func (o *postgresOnline) dropReplaced(ctx context.Context) error {
	return o.waitLong(ctx, func() error { return o.each(ctx, "dropping the index that is replaced", o.sql.DropReplacedBeside()) })
}

// rebuildReplaced builds that index again as it was, where it is not there.
func (o *postgresOnline) rebuildReplaced(ctx context.Context) error {
	return o.waitLong(ctx, func() error {
		if err := o.each(ctx, "dropping an index that was not finished", o.sql.DropBrokenReplaced()); err != nil {
			return err
		}
		return o.each(ctx, "building the index that was replaced", o.sql.RebuildReplacedBeside())
	})
}

// replaceable refuses where the index to replace is not the one that the scan found.
func (s *postgresSession) replaceable(ctx context.Context) error {
	old := s.w.Index().Replaces
	if old == nil {
		return nil
	}
	var stands bool
	if err := s.conn.QueryRow(ctx, "SELECT "+s.sql.ReplacedStands(true)).Scan(&stands); err != nil {
		return explain(ctx, "reading the index", err)
	}
	if !stands {
		return &plan.Problem{Code: plan.CodeDrift, Message: old.Name + ", which the new index is to replace, is gone or is not as the scan found it; nothing was changed", Hint: "scan again, or take replaces: out of the copy of twinrow.yaml in the case and plan again"}
	}
	return nil
}

// dropIndex drops the index, and builds the one that it replaced again.
func (s *postgresSession) dropIndex(ctx context.Context) error {
	if err := s.exec(ctx, "dropping the index", s.sql.DropIndex()); err != nil || s.w.Index().Replaces == nil {
		return err
	}
	return s.exec(ctx, "building the index that was replaced", s.sql.RebuildReplaced())
}

// wantReplaced refuses an undo where neither the new index, whose mark says
// that the old one was dropped, nor the old one is there.
func (s *postgresSession) wantReplaced(ctx context.Context) error {
	if s.w.Index() == nil || s.w.Index().Replaces == nil {
		return nil
	}
	old := s.w.Index().Replaces
	there, err := s.exists(ctx, s.sql.ReplacedName())
	if err != nil || there {
		return err
	}
	return &plan.Problem{Code: plan.CodeDrift, Message: "neither " + s.w.Index().Name + " as this case built it nor " + old.Name + ", which it replaced, is there; nothing was changed", Hint: "build the old one by hand, then run again: " + old.Definition}
}
