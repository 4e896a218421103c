//! Restarts: what was acknowledged is there again, and one folder has one owner.

use crate::support::World;
use trunkline_embedded_aws::{Clock, EmbeddedAws, Options, StartError};

#[tokio::test]
async fn messages_and_receipts_outlive_a_sudden_end() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual();
    let world = World::on(folder.path(), clock.clone()).await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "held").await;
    let held = world.receive(&queue).await.remove(0);
    world.send(&queue, "waiting").await;
    drop(world);

    let world = World::on(folder.path(), clock).await;
    assert_eq!(world.counts(&queue).await, ["1", "1", "0"]);
    assert_eq!(world.bodies(&queue).await, ["waiting"]);
    world.delete(&queue, &held).await;
    world.step(30);
    assert_eq!(world.bodies(&queue).await, ["waiting"], "the one that was held is deleted");
}

#[tokio::test]
async fn secrets_and_tables_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on(folder.path(), Clock::manual()).await;
    world.secrets.create_secret().name("app/key").secret_string("open sesame").send().await.unwrap();
    crate::tables::create(&world).await;
    crate::tables::put(&world, "order-1", "new").await;
    world.aws.shutdown().await;

    let world = World::on(folder.path(), Clock::manual()).await;
    let secret = world.secrets.get_secret_value().secret_id("app/key").send().await.unwrap();
    assert_eq!(secret.secret_string(), Some("open sesame"));
    assert_eq!(crate::tables::state(&world, "order-1").await, "new");
}

#[tokio::test]
async fn a_second_owner_of_the_folder_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let first = EmbeddedAws::start(options()).await.unwrap();

    let refused = EmbeddedAws::start(options()).await.unwrap_err();
    assert!(matches!(refused, StartError::InUse { .. }));
    assert!(refused.to_string().contains(&folder.path().display().to_string()), "{refused}");

    first.shutdown().await;
    EmbeddedAws::start(options()).await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = EmbeddedAws::start(Options::default()).await.unwrap();
    let port = first.url().rsplit(':').next().unwrap().parse().unwrap();
    let refused = EmbeddedAws::start(Options { port, ..Options::default() }).await.unwrap_err();
    assert!(refused.to_string().contains(&port.to_string()));
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let world = World::on(folder.path(), Clock::manual()).await;
    world.secrets.create_secret().name("key").secret_string("hush").send().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
