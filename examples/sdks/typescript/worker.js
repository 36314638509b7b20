// Runs the workflows and activities: node worker.js
const { ApplicationFailure } = require('@temporalio/common');
const { Context } = require('@temporalio/activity');
const { DefaultLogger, NativeConnection, Runtime, Worker } = require('@temporalio/worker');

const activities = {
  async check(item) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return `${item} in stock`;
  },
  async charge(item) {
    if (Context.current().info.attempt < 2) throw ApplicationFailure.retryable('payment service is busy', 'Busy');
    return `paid ${item.count}`;
  },
  async decline() {
    throw ApplicationFailure.nonRetryable('card declined', 'CardDeclined', { code: 7 });
  },
  async ship(city) {
    return `on its way to ${city}`;
  },
  async pack() {
    for (;;) {
      Context.current().heartbeat({ packed: 3 });
      await Context.current().sleep(100);
    }
  },
};

(async () => {
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: ['SIGTERM', 'SIGINT'] });
  const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
  const worker = await Worker.create({
    connection, activities, taskQueue: process.env.TASK_QUEUE, workflowsPath: require.resolve('./workflows.ts'),
  });
  await worker.run();
  await connection.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
