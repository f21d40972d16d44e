package dynamodb

import (
	"context"
	"errors"
	"net"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"twinrow/detect/key"
)

// explain turns an error of the SDK into one that a person can act on. doing
// is a gerund. Of an error of the SDK only the service's own code and message
// are told.
func explain(doing string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if known, ok := errors.AsType[*key.Problem](err); ok {
		return known
	}
	p := &key.Problem{Code: key.CodeConnection, Message: doing + " failed", Err: reason(err)}
	refused, answered := errors.AsType[smithy.APIError](err)
	if !answered {
		p.Hint = "check the region, the credentials and the endpoint: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB; `aws sts get-caller-identity` tells who you are"
		return p
	}
	switch refused.ErrorCode() {
	case "AccessDeniedException":
		p.Code, p.Hint = key.CodePermission, "allow dynamodb:DescribeTable and dynamodb:Scan on the table (to count by key, dynamodb:Query); nothing else is needed"
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "ExpiredToken", "MissingAuthenticationTokenException":
		p.Code, p.Hint = key.CodePermission, "renew the credentials, or choose others with AWS_PROFILE"
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		p.Hint = "the table's read capacity is used up: scan later, with --jobs 1, or give the table more"
	default:
		p.Hint = "the error is the service's own; its API reference lists the code " + refused.ErrorCode()
	}
	return p
}

// reason is the part of an error that tells something: the service's answer,
// the network's error, or the whole where it is neither.
func reason(err error) error {
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return errors.New(refused.ErrorCode() + ": " + refused.ErrorMessage())
	}
	if network, ok := errors.AsType[net.Error](err); ok {
		return network
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

// missing explains why a table cannot be described; where there is none of that
// name, it names those that are like it, if the role may list them.
func missing(ctx context.Context, client *dynamodb.Client, table string, err error) error {
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		return explain("describing the table "+table, err)
	}
	var names []string
	if listed, err := client.ListTables(ctx, &dynamodb.ListTablesInput{}); err == nil {
		names = listed.TableNames
	}
	p := key.NotFound("table", table, names)
	p.Message += " in DynamoDB"
	if p.Hint == "" {
		p.Hint = "check the region and the account: AWS_REGION, AWS_PROFILE; `aws dynamodb list-tables` lists the tables"
	}
	return p
}
