//! The routes of a function, from its handlers.

/// Makes `served` and `described` from handlers: the router with each handler at the path and the methods that its
/// `#[utoipa::path]` names, and the OpenAPI description of the same. They are two, because making a description takes longer
/// than everything else of a function's start, and only the docs need it. A handler that names no role
/// does not compile.
///
/// ```text
/// handlers!(Context: extensions::list, extensions::create, sites::list);
/// ```
#[macro_export]
macro_rules! handlers {
    ($context:ty: $($($handler:ident)::+),+ $(,)?) => {
        fn served() -> axum::Router<$context> {
            use utoipa_axum::PathItemExt as _;
            axum::Router::new()$(.route(
                &utoipa_axum::routes!(@path [path()] of $($handler)::+),
                utoipa_axum::routes!(@path [methods()] of $($handler)::+).iter().fold(
                    axum::routing::MethodRouter::new(),
                    |route, method| route.on(method.to_method_filter(), $($handler)::+),
                ),
            ))+
        }

        fn described() -> utoipa::openapi::OpenApi {
            utoipa_axum::router::OpenApiRouter::<$context>::new()
                $(.routes($crate::openapi::with_role(
                    utoipa_axum::routes!($($handler)::+),
                    $crate::openapi::role_of::<_, $context, _>($($handler)::+),
                )))+
                .into_openapi()
        }
    };
}
