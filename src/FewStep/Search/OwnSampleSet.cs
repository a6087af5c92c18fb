using FewStep.Data;
using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>A model's own fine samples in place of the images that it was trained on. They are made when they are read, without guidance
/// with their labels: a loss curve is about the distribution that the model was trained on, and guided samples are of another.</summary>
/// <remarks>Their seeds belong to nothing else (<see cref="SeedPlan.Own"/>). Samples are kept until it is disposed of, as latents where the
/// model works on those.</remarks>
internal sealed class OwnSampleSet : IImageSet, ITrainingImages
{
    /// <summary>What stands for it where a path of images is asked for; a number may follow after a colon.</summary>
    public const string Name = "own-samples";

    /// <summary>Samples where no number is said: as many as a loss curve may take.</summary>
    public const int UsualCount = 1024;

    private const string Teacher = "karras/ipndm-v:3/48";
    private const int Block = 16;
    private const long MostBytes = 1L << 30;

    private readonly Model _model;
    private readonly SamplingLoop _loop;
    private readonly long _firstSeed;
    private readonly Dictionary<long, Tensor> _made = [];
    private readonly Lock _reading = new();

    /// <param name="model">Not disposed.</param>
    /// <param name="count">8 to <see cref="SeedPlan.SearchedInARun"/>; null for <see cref="UsualCount"/>, or as many as are kept.</param>
    /// <param name="seed">Of the run.</param>
    public OwnSampleSet(Model model, int? count = null, long seed = 0)
    {
        long most = Math.Min(SeedPlan.SearchedInARun, MostBytes / (model.Denoiser.Shape.Dimension * sizeof(float)));
        if (count is < 8 || count > most)
        {
            throw new InvalidInputException($"{count} samples of {model.Name} itself are not 8 to {most}, as many as a run has seeds for "
                + "and are kept in memory.");
        }

        var sampler = model.CreateSampler(Teacher);
        _model = model;
        _loop = new SamplingLoop(model.Unguided, sampler.Solver, new SamplingSchedule(sampler.Schedule.Sigmas, ScheduleTerminal.Zero));
        (Count, _firstSeed) = (count ?? (int)Math.Min(UsualCount, most), SeedPlan.Own(seed));
        Hash = Sha256.Of(InvariantText.Of($"{Name} {Count} of {model.Identity}, {Teacher} over {model.ScheduleRange.SigmaMax:R} to "
            + $"{model.ScheduleRange.SigmaMin:R}, from seed {_firstSeed}").ToString());
    }

    public int Count { get; }

    long ITrainingImages.Count => Count;

    /// <summary>Shape of the images; of what a loss curve takes, that of the latents.</summary>
    public ImageShape Shape => _model.Shape;

    ImageShape ITrainingImages.Shape => _model.Denoiser.Shape;

    /// <summary>Number of the model's classes, or of its prompts.</summary>
    public int Classes => _model.Classes;

    public string Hash { get; }

    /// <summary>Network evaluations that the samples took so far.</summary>
    public long Evaluations { get; private set; }

    /// <summary>Evaluations of the network that a sample takes.</summary>
    public int EvaluationsEach => (_loop.Solver.EvaluationsPerStep * _loop.Schedule.Steps) + 1;

    /// <summary>What they are, for people.</summary>
    public string Words => InvariantText.Of($"fine samples of the model itself ({Teacher} and a last denoise, without guidance, from seed "
        + $"{_firstSeed})").ToString();

    /// <summary>The number after the name; null where a text is no such name.</summary>
    /// <param name="count">Null where no number is said.</param>
    public static bool Is(string text, out int? count)
    {
        count = null;
        string[] parts = text.Split(':', 2);
        if (parts[0] != Name)
            return false;
        if (parts.Length == 1)
            return true;
        count = int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
            : throw new InvalidInputException(
                $"'{Printable.Line(text, 60)}': what follows the colon is the number of samples, e.g. {Name}:256.");
        return true;
    }

    /// <summary>A model's own samples, where a text asks for them or nobody chose images for a model that the embedded ones cannot be of;
    /// else null.</summary>
    /// <param name="data">What names images.</param>
    /// <param name="isGiven">Whether somebody chose that.</param>
    public static OwnSampleSet? For(Model model, string data, bool isGiven, long seed = 0)
        => Is(data, out int? count) || (!isGiven && (model.Prompts ?? (object?)model.Autoencoder) is not null)
            ? new OwnSampleSet(model, count, seed) : null;

    public int Label(int index) => Classes == 0 ? -1 : (int)((_firstSeed + index) % Classes);

    /// <summary>The samples as the denoiser has them.</summary>
    public (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices)
    {
        using var scope = NewDisposeScope();
        Tensor samples;
        lock (_reading)
        {
            Make([.. indices.Where(i => !_made.ContainsKey(i)).Distinct()]);
            samples = stack([.. indices.Select(i => _made[i])]).MoveToOuterDisposeScope();
        }

        return (samples, SeedLabels.For([.. indices.Select(i => _firstSeed + i)], Classes)?.MoveToOuterDisposeScope());
    }

    /// <summary>One of them as it would be saved.</summary>
    public void Read(int index, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int block = index / Block * Block; // one by one they would take far longer
        var (samples, _) = Read([.. Enumerable.Range(block, Math.Min(Block, Count - block)).Select(i => (long)i)]);
        var image = _model.ImagesOf(HostCopy.To(samples.narrow(0, index - block, 1), _model.Denoiser.Device));
        PixelScale.Levels(image)[0].permute(1, 2, 0).to_type(ScalarType.Byte).cpu().contiguous().data<byte>().ToArray().CopyTo(destination);
    }

    public void Dispose()
    {
        foreach (var sample in _made.Values)
            sample.Dispose();
        _made.Clear();
    }

    private void Make(long[] indices)
    {
        if (indices.Length == 0)
            return;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var sampler = new BatchSampler(_loop) { BatchSize = indices.Length };
        foreach (var batch in sampler.Sample([.. indices.Select(i => _firstSeed + i)]))
        {
            using (batch)
            {
                Evaluations += batch.Evaluations;
                var samples = batch.Images.to(float32).cpu();
                for (int i = 0; i < indices.Length; i++)
                    _made[indices[i]] = samples[i].clone().DetachFromDisposeScope();
            }
        }
    }
}
