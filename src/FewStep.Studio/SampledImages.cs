using FewStep.Data;

namespace FewStep.Studio;

/// <summary>Images of some seeds with what the denoiser said at each step, in memory of the processor; dispose it.</summary>
internal sealed class SampledImages : IDisposable
{
    private const int MostImages = 64;
    private const long MostValues = 1 << 24;

    private readonly List<Tensor> _denoised = [];

    private SampledImages(SeedList seeds, long? label, string model) => (Seeds, Label, Model) = (seeds, label, model);

    public SeedList Seeds { get; }
    public long? Label { get; }

    /// <summary>What tells the model from others.</summary>
    public string Model { get; }

    /// <summary>[B,C,H,W], float32.</summary>
    public Tensor Images { get; private set; } = null!;

    /// <summary>Network evaluations an image, counted.</summary>
    public double Evaluations { get; private set; }

    public double Seconds { get; private set; }

    /// <summary>The images as one PNG, and the denoised images of each step as one each.</summary>
    public string Png => Encoded(Images);

    public IEnumerable<string> Steps => _denoised.Select(Encoded);

    /// <summary>Whether two were made of the same latents.</summary>
    public bool IsPairedWith(SampledImages other) =>
        Seeds.SequenceEqual(other.Seeds) && Label == other.Label && Images.shape.AsSpan().SequenceEqual(other.Images.shape);

    /// <summary>Images in a row of the pictures.</summary>
    public static int Columns(int count) => Math.Min(count, 8);

    /// <summary>Seeds as the page names them, as many as it shows.</summary>
    public static SeedList Parse(string seeds)
    {
        var list = SeedList.Parse(seeds);
        return list.Count <= MostImages ? list
            : throw new InvalidInputException($"The studio shows up to {MostImages} images, not {list.Count}; name fewer seeds.");
    }

    /// <param name="keepSteps">Whether the denoised images are kept.</param>
    public static SampledImages Make(
        Model model, Sampler sampler, SeedList seeds, long? label, bool keepSteps, CancellationToken cancellation)
    {
        if (seeds.Count * model.Shape.Dimension > MostValues)
            throw new InvalidInputException($"{seeds.Count} images of {model.Shape} are more than the studio shows; name fewer seeds.");
        var made = new SampledImages(seeds, label, model.Identity);
        try
        {
            using var scope = NewDisposeScope();
            using var inference = no_grad();
            var loop = new SamplingLoop(model.Denoiser, sampler.Solver, sampler.Schedule);
            var latents = Latents.Draw(seeds, loop.Shape, device: loop.Device);
            var labels = SeedLabels.For(seeds, loop.Classes, label, loop.Device);
            var watch = Stopwatch.StartNew();
            var result = loop.SampleSeeded(latents, seeds, labels, keepSteps ? point => made.Keep(model, point) : null, cancellation);
            DeviceWork.Finish(loop.Device);
            made.Seconds = watch.Elapsed.TotalSeconds;
            made.Evaluations = result.EvaluationsPerImage;
            made.Images = model.ImagesOf(result.Samples).cpu().DetachFromDisposeScope();
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Images?.Dispose();
        _denoised.ForEach(d => d.Dispose());
        _denoised.Clear();
    }

    // The end of a run with a last sigma above 0 has no output of its own.
    private void Keep(Model model, TrajectoryPoint point)
    {
        if (point.Denoised is not null)
            _denoised.Add(model.ImagesOf(point.Denoised.detach()).cpu().clone().DetachFromDisposeScope());
    }

    private string Encoded(Tensor images) => Convert.ToBase64String(
        PngFile.EncodeGrid(images, new GridLayout { Columns = Columns(Seeds.Count), Gutter = 0 }));
}
