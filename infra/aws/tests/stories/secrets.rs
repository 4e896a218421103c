//! Secrets: versions come and go under their labels.

use crate::support::World;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;

async fn value(world: &World, stage: &str) -> Option<String> {
    let read = world.secrets.get_secret_value().secret_id("app/key").version_stage(stage);
    read.send().await.ok()?.secret_string
}

#[tokio::test]
async fn a_rotation_moves_the_labels() {
    let world = World::in_memory().await;
    let created = world.secrets.create_secret().name("app/key").secret_string("one").send().await.unwrap();
    let pending = world.secrets.put_secret_value().secret_id("app/key").secret_string("two");
    let pending = pending.version_stages("AWSPENDING").send().await.unwrap();
    assert_eq!(value(&world, "AWSCURRENT").await.as_deref(), Some("one"));
    assert_eq!(value(&world, "AWSPENDING").await.as_deref(), Some("two"));

    let shift =
        |stage: &str| world.secrets.update_secret_version_stage().secret_id("app/key").version_stage(stage);
    let (old, new) = (created.version_id().unwrap(), pending.version_id().unwrap());
    let blind = shift("AWSCURRENT").move_to_version_id(new).send().await.unwrap_err();
    assert!(blind.into_service_error().is_invalid_parameter_exception());

    shift("AWSCURRENT").move_to_version_id(new).remove_from_version_id(old).send().await.unwrap();
    shift("AWSPENDING").remove_from_version_id(new).send().await.unwrap();
    assert_eq!(value(&world, "AWSCURRENT").await.as_deref(), Some("two"));
    assert_eq!(value(&world, "AWSPREVIOUS").await.as_deref(), Some("one"));
    assert_eq!(value(&world, "AWSPENDING").await, None);

    let described = world.secrets.describe_secret().secret_id("app/key").send().await.unwrap();
    let labels = described.version_ids_to_stages().unwrap();
    assert_eq!(labels[new], ["AWSCURRENT"]);
    assert_eq!(labels[old], ["AWSPREVIOUS"]);
}

#[tokio::test]
async fn a_new_value_becomes_current_and_keeps_the_one_before() {
    let world = World::in_memory().await;
    world.secrets.create_secret().name("app/key").secret_string("one").send().await.unwrap();
    world.secrets.put_secret_value().secret_id("app/key").secret_string("two").send().await.unwrap();
    world.secrets.update_secret().secret_id("app/key").secret_string("three").send().await.unwrap();
    assert_eq!(value(&world, "AWSCURRENT").await.as_deref(), Some("three"));
    assert_eq!(value(&world, "AWSPREVIOUS").await.as_deref(), Some("two"));
}

#[tokio::test]
async fn a_secret_is_found_by_name_arn_and_version() {
    let world = World::in_memory().await;
    let created = world.secrets.create_secret().name("app/key").secret_string("one").send().await.unwrap();
    let arn = created.arn().unwrap();
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:app/key-"), "{arn}");
    let by_arn = world.secrets.get_secret_value().secret_id(arn).version_id(created.version_id().unwrap());
    assert_eq!(by_arn.send().await.unwrap().secret_string(), Some("one"));

    let short = arn.rsplit_once('-').unwrap().0;
    assert!(world.secrets.get_secret_value().secret_id(short).send().await.is_ok());
    let listed = world.secrets.list_secrets().send().await.unwrap();
    assert_eq!(listed.secret_list()[0].arn(), Some(arn));
}

#[tokio::test]
async fn a_token_makes_a_put_repeatable_but_never_changes_a_version() {
    let world = World::in_memory().await;
    world.secrets.create_secret().name("app/key").secret_string("one").send().await.unwrap();
    let token = "0123456789abcdef0123456789abcdef";
    let put = |text: &str| {
        world
            .secrets
            .put_secret_value()
            .secret_id("app/key")
            .client_request_token(token)
            .secret_string(text)
            .send()
    };
    put("two").await.unwrap();
    put("two").await.unwrap();
    let changed = put("three").await.unwrap_err().into_service_error();
    assert!(changed.is_resource_exists_exception());
    assert_eq!(value(&world, "AWSPREVIOUS").await.as_deref(), Some("one"));
}

#[tokio::test]
async fn errors_have_the_names_sdks_know() {
    let world = World::in_memory().await;
    let missing = world.secrets.get_secret_value().secret_id("nothing").send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());

    world.secrets.create_secret().name("app/key").secret_string("one").send().await.unwrap();
    let twice = world.secrets.create_secret().name("app/key").secret_string("two").send().await.unwrap_err();
    assert!(twice.into_service_error().is_resource_exists_exception());
    let no_pending =
        world.secrets.get_secret_value().secret_id("app/key").version_stage("AWSPENDING").send().await;
    assert!(no_pending.unwrap_err().message().unwrap().contains("AWSPENDING"));
}

#[tokio::test]
async fn a_deleted_secret_can_be_restored_until_its_window_closes() {
    let world = World::in_memory().await;
    world.secrets.create_secret().name("app/key").secret_string("one").send().await.unwrap();
    world.secrets.delete_secret().secret_id("app/key").recovery_window_in_days(7).send().await.unwrap();
    let gone = world.secrets.get_secret_value().secret_id("app/key").send().await.unwrap_err();
    assert!(gone.into_service_error().is_invalid_request_exception());
    world.secrets.restore_secret().secret_id("app/key").send().await.unwrap();
    assert_eq!(value(&world, "AWSCURRENT").await.as_deref(), Some("one"));

    world.secrets.delete_secret().secret_id("app/key").recovery_window_in_days(7).send().await.unwrap();
    world.step(7 * 86_400);
    let restored = world.secrets.restore_secret().secret_id("app/key").send().await.unwrap_err();
    assert!(restored.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn a_forced_delete_frees_the_name_at_once() {
    let world = World::in_memory().await;
    let create = || world.secrets.create_secret().name("app/key").secret_string("one").send();
    create().await.unwrap();
    let delete = world.secrets.delete_secret().secret_id("app/key").force_delete_without_recovery(true);
    delete.send().await.unwrap();
    create().await.unwrap();
}
