import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The same work in Kafka Streams: parse, dedupe by id in RocksDB, hashtags, counts by minute,
 * hashtag and language in memory. No changelog: it would be written to Kafka as well.
 *
 * <p>java Bench BOOTSTRAP TOPIC POSTS APPLICATION FOLDER THREADS SECONDS; one line of JSON at the end.
 */
public final class Bench {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final CountDownLatch DONE = new CountDownLatch(1);
  private static final AtomicLong POSTS = new AtomicLong();
  private static final AtomicLong UNIQUE = new AtomicLong();
  private static final AtomicLong TAGS = new AtomicLong();
  private static final AtomicLong BEGAN = new AtomicLong();
  private static volatile long cpuBefore;
  private static long wanted;
  private static long limit;

  /** One task's work; tasks of one thread follow each other, threads share the totals above. */
  private static final class Count implements Processor<byte[], byte[], Void, Void> {
    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, Integer> counts = new HashMap<>();
    private KeyValueStore<String, byte[]> seen;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      seen = context.getStateStore("seen");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      if (BEGAN.get() == 0 && BEGAN.compareAndSet(0, System.nanoTime())) {
        cpuBefore = SYSTEM.getProcessCpuTime();
      }
      if (DONE.getCount() == 0) {
        return;
      }
      try {
        JsonNode data = json.readTree(record.value()).get("data");
        if (seen.putIfAbsent(data.get("id").asText(), new byte[0]) == null) {
          UNIQUE.incrementAndGet();
          count(data);
        }
      } catch (java.io.IOException error) {
        throw new java.io.UncheckedIOException(error);
      }
      if (POSTS.incrementAndGet() == wanted || System.nanoTime() - BEGAN.get() > limit) {
        DONE.countDown();
      }
    }

    private void count(JsonNode data) {
      JsonNode whole = data.has("note_tweet") ? data.get("note_tweet") : data;
      String minute = data.get("created_at").asText().substring(0, 16);
      String lang = data.get("lang").asText();
      Set<String> tags = new HashSet<>();
      for (JsonNode hashtag : whole.path("entities").path("hashtags")) {
        tags.add(hashtag.get("tag").asText().toLowerCase(Locale.ROOT));
      }
      for (String tag : tags) {
        counts.merge(minute + ' ' + tag + ' ' + lang, 1, Integer::sum);
      }
      TAGS.addAndGet(tags.size());
    }
  }

  public static void main(String[] arguments) throws InterruptedException {
    wanted = Long.parseLong(arguments[2]);
    limit = (long) (Double.parseDouble(arguments[6]) * 1e9);
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[3]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[5]);
    settings.put("auto.offset.reset", "earliest");
    Topology topology = new Topology();
    topology.addSource(
        "posts", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), arguments[1]);
    topology.addProcessor("count", Count::new, "posts");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore("seen"), Serdes.String(), Serdes.ByteArray())
            .withLoggingDisabled(),
        "count");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    streams.start();
    DONE.await();
    double seconds = (System.nanoTime() - BEGAN.get()) / 1e9;
    double cpuSeconds = (SYSTEM.getProcessCpuTime() - cpuBefore) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "{\"posts\": %d, \"unique\": %d, \"tags\": %d, \"seconds\": %.6f, \"cpu_seconds\": %.6f}%n",
        POSTS.get(),
        UNIQUE.get(),
        TAGS.get(),
        seconds,
        cpuSeconds);
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }
}
