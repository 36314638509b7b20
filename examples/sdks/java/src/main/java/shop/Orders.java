package shop;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import io.temporal.activity.ActivityOptions;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.TimerOptions;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** The order of this demo in Java: its workflows, activities and worker. */
public final class Orders {
  static final Duration LIMIT = Duration.ofSeconds(30);
  static final SearchAttributeKey<String> SHOP = SearchAttributeKey.forKeyword("Shop");

  public record Item(String item, int count) {}

  @ActivityInterface
  public interface Desk {
    @ActivityMethod(name = "check")
    String check(String item);

    @ActivityMethod(name = "charge")
    String charge(Item item);

    @ActivityMethod(name = "decline")
    String decline(String item);

    @ActivityMethod(name = "ship")
    String ship(String city);

    @ActivityMethod(name = "pack")
    String pack(String item);
  }

  public static final class DeskWork implements Desk {
    @Override
    public String check(String item) {
      pause(60);
      return item + " in stock";
    }

    @Override
    public String charge(Item item) {
      if (Activity.getExecutionContext().getInfo().getAttempt() < 2) {
        throw ApplicationFailure.newFailure("payment service is busy", "Busy");
      }
      return "paid " + item.count();
    }

    @Override
    public String decline(String item) {
      throw ApplicationFailure.newNonRetryableFailure("card declined", "CardDeclined", Map.of("code", 7));
    }

    @Override
    public String ship(String city) {
      return "on its way to " + city;
    }

    @Override
    public String pack(String item) {
      while (true) {
        Activity.getExecutionContext().heartbeat(Map.of("packed", 3));
        pause(100);
      }
    }

    private static void pause(long milliseconds) {
      try {
        Thread.sleep(milliseconds);
      } catch (InterruptedException stopped) {
        throw Activity.wrap(stopped);
      }
    }
  }

  @WorkflowInterface
  public interface Order {
    @WorkflowMethod(name = "Order")
    String run(Item item);

    @SignalMethod(description = "Approve the order.")
    void approve(String by);

    @QueryMethod(description = "Progress of the order.")
    String state();

    @UpdateMethod(description = "Change the number of pieces.")
    String change(int count);
  }

  public static final class OrderRun implements Order {
    private String state = "new";
    private String approvedBy = "";

    @Override
    public String run(Item item) {
      Workflow.getVersion("c", Workflow.DEFAULT_VERSION, 4);
      Workflow.sideEffect(Integer.class, () -> 1234);
      Workflow.mutableSideEffect("cfg", Integer.class, (a, b) -> !a.equals(b), () -> 5);
      Workflow.newLocalActivityStub(
              Desk.class, LocalActivityOptions.newBuilder().setStartToCloseTimeout(LIMIT).build())
          .check(item.item());
      ActivityOptions options =
          ActivityOptions.newBuilder()
              .setStartToCloseTimeout(LIMIT)
              .setRetryOptions(RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(10)).build())
              .build();
      ActivityOptions noted = ActivityOptions.newBuilder(options).setSummary("charge the card").build();
      Workflow.newActivityStub(Desk.class, noted).charge(item);
      try {
        Workflow.newActivityStub(Desk.class, options).decline(item.item());
      } catch (ActivityFailure declined) {
        Workflow.getLogger(OrderRun.class).info("declined");
      }
      TimerOptions bank = TimerOptions.newBuilder().setSummary("wait for the bank").build();
      Workflow.newTimer(Duration.ofMillis(100), bank).get();
      Workflow.upsertTypedSearchAttributes(SHOP.valueSet("lisbon"));
      Workflow.upsertMemo(Map.of("note", "hello"));
      state = "waits for approval";
      Workflow.await(Duration.ofHours(1), () -> !approvedBy.isEmpty());
      ChildWorkflowOptions child =
          ChildWorkflowOptions.newBuilder()
              .setWorkflowId(Workflow.getInfo().getWorkflowId() + "-delivery")
              .build();
      Workflow.newChildWorkflowStub(Delivery.class, child).run("Lisbon");
      return "approved by " + approvedBy;
    }

    @Override
    public void approve(String by) {
      approvedBy = by;
    }

    @Override
    public String state() {
      return state;
    }

    @Override
    public String change(int count) {
      return count + " pieces";
    }
  }

  @WorkflowInterface
  public interface Delivery {
    @WorkflowMethod(name = "Delivery")
    String run(String city);
  }

  public static final class DeliveryRun implements Delivery {
    @Override
    public String run(String city) {
      return Workflow.newActivityStub(
              Desk.class, ActivityOptions.newBuilder().setStartToCloseTimeout(LIMIT).build())
          .ship(city);
    }
  }

  @WorkflowInterface
  public interface Packing {
    @WorkflowMethod(name = "Packing")
    String run(String item);
  }

  public static final class PackingRun implements Packing {
    @Override
    public String run(String item) {
      ActivityOptions options =
          ActivityOptions.newBuilder()
              .setStartToCloseTimeout(Duration.ofHours(1))
              .setHeartbeatTimeout(LIMIT)
              .build();
      return Workflow.newActivityStub(Desk.class, options).pack(item);
    }
  }

  @WorkflowInterface
  public interface Broken {
    @WorkflowMethod(name = "Broken")
    String run(String item);
  }

  public static final class BrokenRun implements Broken {
    @Override
    public String run(String item) {
      Map<String, String> prices = new HashMap<>();
      return prices.get(item).trim();
    }
  }

  public static void main(String[] arguments) {
    WorkflowServiceStubs server =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(System.getenv("TEMPORAL_ADDRESS")).build());
    WorkerFactory factory = WorkerFactory.newInstance(WorkflowClient.newInstance(server));
    // A busy machine is no deadlock.
    WorkerOptions patient = WorkerOptions.newBuilder().setDefaultDeadlockDetectionTimeout(20_000).build();
    Worker worker = factory.newWorker(System.getenv("TASK_QUEUE"), patient);
    worker.registerWorkflowImplementationTypes(
        OrderRun.class, DeliveryRun.class, PackingRun.class, BrokenRun.class);
    worker.registerActivitiesImplementations(new DeskWork());
    factory.start();
  }

  private Orders() {}
}
