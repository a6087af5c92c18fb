using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FewStep.Deploy.Serving;

/// <summary>Registration in an application's services.</summary>
public static class FewStepServices
{
    /// <summary>Adds <see cref="FewStepSampler"/> and <see cref="QueuedSampler"/>, one each for the whole application. Options are checked
    /// when the application starts; the file is opened by whoever asks for one of the two first.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options; <see cref="FewStepOptions.SamplerPath"/> is required.</param>
    public static IServiceCollection AddFewStep(this IServiceCollection services, Action<FewStepOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<FewStepOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FewStepOptions>, FewStepOptionsValidation>();
        services.AddSingleton(provider => Open(provider.GetRequiredService<IOptions<FewStepOptions>>().Value));
        return services.AddSingleton(provider => new QueuedSampler(
            provider.GetRequiredService<FewStepSampler>(), provider.GetRequiredService<IOptions<FewStepOptions>>().Value,
            provider.GetRequiredService<ILogger<QueuedSampler>>()));
    }

    private static FewStepSampler Open(FewStepOptions options) => FewStepSampler.Open(options.SamplerPath, new FewStepSamplerOptions
    {
        Provider = options.Provider,
        Device = options.Device,
        Threads = options.Threads,
        BatchSize = options.MaximumBatch,
    });
}
