//! The statements for servers older than any that the database tests can run on. Their names are
//! those of TimescaleDB's own sources, and still work on the newest.

use serde_json::{Value as Json, json};

use crate::core::{Cell, Delta, Interval};
use crate::kinds::fixture::{World, daily, job_row, texts};
use crate::kinds::{Kind, by_id};
use crate::plan::{Among, action_for};
use crate::render::Renderer;

fn columnstore() -> &'static dyn Kind {
    by_id(&crate::core::KindId::new("columnstore")).unwrap()
}

fn world(after: Option<i32>) -> World {
    let mut cells = vec![("enabled", Cell::Bool(true)), ("segmentby", texts(&["symbol"]))];
    match after {
        Some(days) => cells.push(("after", Cell::Interval(Interval::days(days)))),
        None => cells.push(("job_id", Cell::Null)),
    }
    World::new("2.17.2", daily()).with(columnstore(), &[job_row(&cells)])
}

fn statements(world: &World, delta: &Delta) -> Vec<String> {
    let mut sink = Vec::new();
    let among = Among { deltas: &[], weights: &[] };
    let action = action_for(delta, among, &world.view(), &mut Renderer::new(), &mut sink).unwrap();
    assert_eq!(sink, []);
    action.steps.iter().map(|step| step.sql.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn change(world: &World, section: &Json) -> Vec<String> {
    statements(world, &world.delta(columnstore(), section))
}

#[test]
fn before_2_18_the_columnstore_is_called_compression() {
    let fresh = World::new("2.17.2", daily());
    let section = json!({"after": "7 days", "segment_by": ["symbol"], "order_by": ["time desc"],
        "schedule": {"every": "1 day", "max_retries": 3}});
    assert_eq!(
        change(&fresh, &section),
        [
            "ALTER TABLE public.trades SET ( timescaledb.compress = true, timescaledb.compress_segmentby = 'symbol', \
             timescaledb.compress_orderby = 'time DESC')",
            "SELECT public.add_compression_policy('public.trades', compress_after => INTERVAL '7 days', \
             schedule_interval => INTERVAL '1 day')",
            "SELECT public.alter_job(job_id, max_retries => 3) FROM timescaledb_information.jobs \
             WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades'",
        ]
    );
    let by_creation = change(&world(None), &json!({"created_before": "7 days"}));
    assert_eq!(
        by_creation,
        ["SELECT public.add_compression_policy('public.trades', compress_created_before => INTERVAL '7 days')"]
    );
    assert_eq!(change(&world(Some(7)), &json!({})), ["SELECT public.remove_compression_policy('public.trades')"]);
    let altered = change(&world(Some(7)), &json!({"after": "8 days"}));
    assert!(altered[0].starts_with("SELECT public.alter_job(job_id, config => (config - 'compress_created_before')"));
    let removed = world(Some(7));
    assert_eq!(
        statements(&removed, &removed.removal(columnstore())),
        [
            "SELECT public.remove_compression_policy('public.trades')",
            "SELECT public.decompress_chunk(chunk, true) FROM public.show_chunks('public.trades') AS chunk",
            "ALTER TABLE public.trades SET (timescaledb.compress = false)",
        ]
    );
}
