using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Tuning;

namespace FewStep;

/// <content>Tuning, and keeping what came of it.</content>
public sealed partial class Model
{
    /// <summary>How the model was tuned, where <see cref="Tune"/> made it; else null.</summary>
    public TuningReport? Tuning { get; private init; }

    /// <summary>The adapters that it was tuned by; null where it was not, or by all weights.</summary>
    internal TunedLora? Lora { get; private init; }

    /// <summary>Phase 2: tunes the model to a sampler, by all its weights or by adapters (<see cref="TuningOptions.Lora"/>). This model is
    /// the teacher, under its guidance where it has one, and stays as it is.</summary>
    /// <param name="sampler">What the tuned model is to be sampled with; its solver makes one evaluation a step.</param>
    /// <param name="options">How; null for the defaults. The solver and the number format are those of the sampler and the model.</param>
    /// <param name="images">Images, which only the loss <see cref="TuningLoss.Denoise"/> needs; a tenth is held out. Not disposed.</param>
    /// <param name="start">Whose weights the tuning begins at, such as those of an earlier tuning with another loss: a model of the same
    /// network. Null for this one's, and with adapters. Not disposed.</param>
    /// <param name="progress">Told after each update; null for nobody.</param>
    /// <param name="cancellation">Stops before the next update.</param>
    /// <returns>A model of its own with the best weights, whose <see cref="Sampler"/> is <paramref name="sampler"/>; the caller disposes of
    /// it. Prompts and autoencoder are this model's, which must then be disposed of later.</returns>
    /// <exception cref="InvalidInputException">The model has no weights that can be tuned, options are out of range, something does not
    /// fit, or the tuning diverged.</exception>
    public Model Tune(
        Sampler sampler, TuningOptions? options = null, IImageSet? images = null, Model? start = null,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        var network = RequireNetwork();
        options = (options ?? new()).For(sampler.Steps, sampler.Solver);
        if (start is not null)
            RequireStart(start, options);
        using var embedding = ImageEmbeddings.Open(options.ImageDistance, network, network.Shape, network.Device);
        var own = images is null ? null : TuningImages.Split(Fitting(images), Autoencoder);
        var tuner = new Tuner(network, sampler, options, own, Teacher?.Denoiser, embedding);
        using var scope = NewDisposeScope();
        using var result = tuner.Run(start?.Network!.Weights, new TuningObserver { Progress = progress }, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (result.Report.Stop == TuningStop.Diverged)
            throw new InvalidInputException($"Tuning diverged: {result.Report.Explanation}.");
        var tuned = ModelFolder.With(Config, network, tuner.Trained.Weights(result.Weights), out string weightsHash);
        var summary = Summarize(Config, ModelSource.HashOf(Config, weightsHash), tuned.Layout.Count);
        var lora = tuner.Trained.Adapters is null ? null
            : new TunedLora(tuner.Trained, result.Weights.clone().DetachFromDisposeScope(), sampler, NetworkHash);
        IEnumerable<IDisposable> owned = lora is null ? [tuned] : [tuned, lora];
        return new Model(tuned, Complete(summary, Prompts, Autoencoder), NumberFormat, owned)
        {
            Lora = lora,
            NetworkHash = summary.Hash!,
            Autoencoder = Autoencoder,
            Prompts = Prompts,
            Pipeline = Pipeline,
            Config = Config,
            Network = tuned,
            Format = "tuned model",
            Sampler = sampler,
            ScheduleRange = ScheduleRange,
            Family = Family,
            Tuning = result.Report,
        };
    }

    /// <summary><see cref="Tune"/> on another thread.</summary>
    /// <inheritdoc cref="Tune"/>
    public Task<Model> TuneAsync(
        Sampler sampler, TuningOptions? options = null, IImageSet? images = null, Model? start = null,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default) =>
        Task.Run(() => Tune(sampler, options, images, start, progress, cancellation), cancellation);

    /// <summary>Writes a model folder (<c>config.json</c>, <c>model.safetensors</c>, and <c>sampler.json</c> where the model has a
    /// sampler), from which <see cref="Open"/> reads the same model. Guidance is not part of it; of a pipeline whose autoencoder and text
    /// encoders it has, the folder remembers where it lies.</summary>
    /// <param name="folder">Target; created where missing.</param>
    /// <param name="type">Type of the stored weights: float32 (default) keeps every bit, bfloat16 halves the file.</param>
    /// <exception cref="InvalidInputException">The model has no weights (an ONNX file, a mixture), or a file cannot be written.</exception>
    public void Save(string folder, ScalarType type = ScalarType.Float32)
    {
        var network = RequireNetwork();
        string sampler = System.IO.Path.Combine(folder, SamplerName);
        ModelFolder.Write(folder, Config, network, network.Weights, type, Pipeline);
        if (Sampler is null)
        {
            File.Delete(sampler); // of a model that lay there before
        }
        else
        {
            Sampler.Save(sampler);
        }
    }

    /// <summary>Writes the adapters that <see cref="Tune"/> trained, as a safetensors file of other programs' names; it also says rank,
    /// alpha, the hash of the network that it is for, and the sampler.</summary>
    /// <param name="path">Target; replaced where it exists.</param>
    /// <param name="names">Whose names; default diffusers'.</param>
    /// <exception cref="InvalidInputException">The model was not tuned by adapters, the names do not suit its network, or the file cannot
    /// be written.</exception>
    public void SaveLora(string path, LoraNames names = LoraNames.Diffusers)
    {
        ArgumentNullException.ThrowIfNull(path);
        (Lora ?? throw new InvalidInputException($"{Name} was not tuned by a LoRA; tune it with {nameof(TuningOptions)}."
            + $"{nameof(TuningOptions.Lora)}.")).Save(path, names);
    }

    /// <summary>Who a student of this model learns from, where that is not the network as it is.</summary>
    internal TuningTeacher? Teacher => Summary.Guidance is null ? null : new TuningTeacher(Denoiser, Hash);

    /// <summary>Refuses what a tuning of this model cannot begin at.</summary>
    internal void RequireStart(Model start, TuningOptions options)
    {
        if (options.Lora is not null)
            throw new InvalidInputException("Adapters begin at the model itself; give no other model to start at.");
        if (start.Network is null || start.Config.OfNetworkAlone() != Config.OfNetworkAlone())
        {
            throw new InvalidInputException($"{start.Name} has another architecture, preconditioning or shape than {Name}, or no weights: "
                + "a tuning starts at a model of the same network, such as an earlier tuning of it.");
        }
    }
}
