package apply

import "context"

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
