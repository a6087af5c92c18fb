using System.Security.Cryptography;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Runs;
using FewStep.Runtime;
using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>sample</c> and <c>schedule</c> work on: a network, or the exact denoiser of a Gaussian mixture in a JSON file. Owns it.</summary>
internal sealed class SampledModel : IDisposable
{
    // EDM's noise levels, over which the standard schedules of a mixture run.
    private const double UsualMinimum = 0.002;
    private const double UsualMaximum = 80;

    private readonly IDisposable _owned;

    private SampledModel(IDenoiser denoiser, ModelConfig config, ModelSummary summary, IDisposable owned) => (Denoiser, Config, Summary, _owned) = (denoiser, config, summary, owned);

    /// <summary>The denoiser.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>Shape and classes; of a mixture nothing else in it means anything.</summary>
    public ModelConfig Config { get; }

    /// <summary>For the manifest.</summary>
    public ModelSummary Summary { get; }

    /// <summary>Whether it is a network, which computes in a number format of its own.</summary>
    public bool IsNetwork => _owned is ModelSource;

    /// <summary>Reads a model.</summary>
    /// <param name="path">A model in any accepted form, or a mixture's JSON file.</param>
    /// <param name="schedule">The schedule as it was given: a mixture, which knows no limits, covers the levels of a file; null where none was.</param>
    /// <param name="type">The number format that a network computes in.</param>
    /// <param name="options">What a checkpoint does not say.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, or a damaged file.</exception>
    public static SampledModel Open(string path, string? schedule, ScalarType type, ModelReadOptions options)
    {
        if (File.Exists(path) && path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return OpenMixture(path, schedule);
        }

        var source = ModelSource.Open(path, options);
        source.Denoiser.ComputeType = type;
        return new SampledModel(source.Denoiser, source.Config, RunFacts.Of(source), source);
    }

    /// <inheritdoc/>
    public void Dispose() => _owned.Dispose();

    private static SampledModel OpenMixture(string path, string? schedule)
    {
        var mixture = MixtureFile.Read(path);
        var (low, high) = (UsualMinimum, UsualMaximum);
        if (schedule is not null && ScheduleArgument.IsFile(schedule))
        {
            var sigmas = ScheduleFile.Read(schedule).Schedule.Sigmas;
            (low, high) = (Math.Min(low, sigmas[^1]), Math.Max(high, sigmas[0]));
        }

        var denoiser = new GaussianMixtureDenoiser(mixture, low, high);
        var config = new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(path),
            Shape = mixture.Shape,
            Classes = mixture.Classes,
            Preconditioning = new PreconditioningConfig { Kind = MixtureFile.Kind, SigmaMin = low, SigmaMax = high },
        };
        var summary = new ModelSummary
        {
            Name = config.Name,
            Hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
            Preconditioning = MixtureFile.Kind,
            Shape = mixture.Shape,
            Classes = mixture.Classes,
        };
        return new SampledModel(denoiser, config, summary, denoiser);
    }
}
