using FewStep.Deploy.Serving;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace WebApi;

/// <summary>Healthy while images are made, degraded while requests are refused.</summary>
internal sealed class QueueHealth(QueuedSampler queue, IOptions<FewStepOptions> options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        int waiting = queue.Waiting;
        string said = $"{waiting} images wait";
        return Task.FromResult(!queue.IsOpen ? HealthCheckResult.Unhealthy("the queue is closed")
            : waiting >= options.Value.MaximumQueued ? HealthCheckResult.Degraded(said) : HealthCheckResult.Healthy(said));
    }
}
