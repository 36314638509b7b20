// The order of this demo in Go: its workflows, activities and worker.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nexus-rpc/sdk-go/nexus"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/temporalnexus"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type Item struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

var shop = temporal.NewSearchAttributeKeyKeyword("Shop")

func Check(ctx context.Context, item string) (string, error) {
	time.Sleep(60 * time.Millisecond)
	return item + " in stock", nil
}

func Charge(ctx context.Context, item Item) (string, error) {
	if activity.GetInfo(ctx).Attempt < 2 {
		return "", temporal.NewApplicationError("payment service is busy", "Busy")
	}
	return fmt.Sprintf("paid %d", item.Count), nil
}

func Decline(ctx context.Context, item string) (string, error) {
	return "", temporal.NewNonRetryableApplicationError("card declined", "CardDeclined", nil, map[string]int{"code": 7})
}

func Ship(ctx context.Context, city string) (string, error) {
	return "on its way to " + city, nil
}

func Pack(ctx context.Context, item string) (string, error) {
	for {
		activity.RecordHeartbeat(ctx, map[string]int{"packed": 3})
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func Order(ctx workflow.Context, item Item) (string, error) {
	state, approvedBy := "new", ""
	err := workflow.SetQueryHandlerWithOptions(ctx, "state", func() (string, error) { return state, nil },
		workflow.QueryHandlerOptions{Description: "Progress of the order."})
	if err != nil {
		return "", err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, "change", func(ctx workflow.Context, count int) (string, error) {
		return fmt.Sprintf("%d pieces", count), nil
	}, workflow.UpdateHandlerOptions{Description: "Change the number of pieces."})
	if err != nil {
		return "", err
	}
	approvals := workflow.GetSignalChannelWithOptions(ctx, "approve", workflow.SignalChannelOptions{Description: "Approve the order."})
	workflow.Go(ctx, func(ctx workflow.Context) { approvals.Receive(ctx, &approvedBy) })

	workflow.GetVersion(ctx, "c", workflow.DefaultVersion, 4)
	workflow.SideEffect(ctx, func(ctx workflow.Context) interface{} { return 1234 })
	workflow.MutableSideEffect(ctx, "cfg", func(ctx workflow.Context) interface{} { return 5 },
		func(a, b interface{}) bool { return a == b })
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 30 * time.Second})
	if err := workflow.ExecuteLocalActivity(local, "check", item.Item).Get(ctx, nil); err != nil {
		return "", err
	}
	options := workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond},
	}
	activities := workflow.WithActivityOptions(ctx, options)
	options.Summary = "charge the card"
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), "charge", item).Get(ctx, nil); err != nil {
		return "", err
	}
	if err := workflow.ExecuteActivity(activities, "decline", item.Item).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Info("declined")
	}
	timer := workflow.NewTimerWithOptions(ctx, 100*time.Millisecond, workflow.TimerOptions{Summary: "wait for the bank"})
	if err := timer.Get(ctx, nil); err != nil {
		return "", err
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, shop.ValueSet("lisbon")); err != nil {
		return "", err
	}
	if err := workflow.UpsertMemo(ctx, map[string]interface{}{"note": "hello"}); err != nil {
		return "", err
	}
	state = "waits for approval"
	if _, err := workflow.AwaitWithTimeout(ctx, time.Hour, func() bool { return approvedBy != "" }); err != nil {
		return "", err
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID + "-delivery",
	})
	if err := workflow.ExecuteChildWorkflow(child, Delivery, "Lisbon").Get(ctx, nil); err != nil {
		return "", err
	}
	return "approved by " + approvedBy, nil
}

func Delivery(ctx workflow.Context, city string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
	var sent string
	err := workflow.ExecuteActivity(ctx, "ship", city).Get(ctx, &sent)
	return sent, err
}

var deliver = temporalnexus.NewWorkflowRunOperation("deliver", Delivery,
	func(ctx context.Context, city string, options nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
		return client.StartWorkflowOptions{ID: "go-delivery-" + options.RequestID}, nil
	})

func Abroad(ctx workflow.Context, endpoint string) (string, error) {
	var sent string
	shop := workflow.NewNexusClient(endpoint, "Shop")
	err := shop.ExecuteOperation(ctx, deliver, "Lisbon", workflow.NexusOperationOptions{}).Get(ctx, &sent)
	return sent, err
}

func Packing(ctx workflow.Context, item string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Hour, HeartbeatTimeout: 30 * time.Second,
	})
	err := workflow.ExecuteActivity(ctx, "pack", item).Get(ctx, nil)
	return "", err
}

func Broken(ctx workflow.Context, item string) (string, error) {
	var prices map[string]*Item
	return prices[item].Item, nil
}

type quiet struct{}

func (quiet) Debug(string, ...interface{}) {}
func (quiet) Info(string, ...interface{})  {}
func (quiet) Warn(string, ...interface{})  {}
func (quiet) Error(message string, values ...interface{}) {
	log.Println(append([]interface{}{message}, values...)...)
}

func main() {
	connection, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Logger: quiet{}})
	if err != nil {
		log.Fatalln(err)
	}
	defer connection.Close()
	orders := worker.New(connection, os.Getenv("TASK_QUEUE"), worker.Options{
		DeadlockDetectionTimeout: 20 * time.Second, // a busy machine is no deadlock
	})
	orders.RegisterWorkflow(Order)
	orders.RegisterWorkflow(Delivery)
	orders.RegisterWorkflow(Packing)
	orders.RegisterWorkflow(Abroad)
	orders.RegisterWorkflow(Broken)
	for name, function := range map[string]interface{}{
		"check": Check, "charge": Charge, "decline": Decline, "ship": Ship, "pack": Pack,
	} {
		orders.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
	service := nexus.NewService("Shop")
	if err := service.Register(deliver); err != nil {
		log.Fatalln(err)
	}
	orders.RegisterNexusService(service)
	if err := orders.Run(worker.InterruptCh()); err != nil {
		log.Fatalln(err)
	}
}
