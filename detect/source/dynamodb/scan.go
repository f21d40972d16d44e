package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"twinrow/detect/source"
)

// attempts is how often a page is asked for before the scan gives up: a table
// with little capacity throttles for minutes.
const attempts = 12

func patient(o *dynamodb.Options) { o.RetryMaxAttempts = max(attempts, o.RetryMaxAttempts) }

// reading is one reading of a table in segments.
type reading struct {
	client   *dynamodb.Client
	table    string
	segments int32
	pace     *source.Pace
}

// scan reads all segments at once and writes a line for each item.
func (r *reading) scan(ctx context.Context, to io.Writer) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	var turn sync.Mutex // of those who write
	write := func(page []byte) error {
		turn.Lock()
		defer turn.Unlock()
		_, err := to.Write(page)
		return err
	}
	for segment := range r.segments {
		all.Go(func() {
			if err := r.scanSegment(ctx, segment, write); err != nil {
				stop(err) // the first error is the one to tell
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (r *reading) scanSegment(ctx context.Context, segment int32, write func([]byte) error) error {
	pages := dynamodb.NewScanPaginator(r.client, &dynamodb.ScanInput{
		TableName: &r.table, ConsistentRead: aws.Bool(true), Segment: &segment, TotalSegments: &r.segments,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, patient)
		if err != nil {
			return err
		}
		var lines bytes.Buffer
		for _, item := range page.Items {
			if err := appendItem(&lines, item); err != nil {
				return err
			}
		}
		if err := write(lines.Bytes()); err != nil {
			return err
		}
		if err := r.pace.Spend(ctx, int64(lines.Len())); err != nil {
			return err
		}
	}
	return nil
}

// appendItem writes an item as the AWS command line does, its attributes in
// the order of their names, so that a digest of the line is one of the item.
func appendItem(to *bytes.Buffer, item map[string]types.AttributeValue) error {
	typed := make(map[string]any, len(item))
	for name, value := range item {
		v, err := typedValue(value)
		if err != nil {
			return err
		}
		typed[name] = v
	}
	encoder := json.NewEncoder(to) // ends each with a line feed
	encoder.SetEscapeHTML(false)
	return encoder.Encode(typed)
}

func typedValue(value types.AttributeValue) (any, error) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}, nil
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}, nil
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}, nil
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}, nil
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": true}, nil
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}, nil
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": v.Value}, nil
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}, nil
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, member := range v.Value {
			var err error
			if list[i], err = typedValue(member); err != nil {
				return nil, err
			}
		}
		return map[string]any{"L": list}, nil
	case *types.AttributeValueMemberM:
		members := make(map[string]any, len(v.Value))
		for name, member := range v.Value {
			var err error
			if members[name], err = typedValue(member); err != nil {
				return nil, err
			}
		}
		return map[string]any{"M": members}, nil
	}
	return nil, errors.New("the table holds a value of a type that is not known: " + fmt.Sprintf("%T", value))
}
