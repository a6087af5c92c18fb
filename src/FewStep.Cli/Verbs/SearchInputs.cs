using FewStep.Cli.Terminal;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary>The images and the loss curve of a search, opened and measured when an optimiser first asks for them.</summary>
/// <param name="denoiser">The model.</param>
/// <param name="data">Path of the images.</param>
/// <param name="curveFile">A curve to read instead of measuring one; null for none.</param>
/// <param name="curveOptions">How to measure.</param>
/// <param name="folder">Where a measured curve is kept.</param>
/// <param name="terminal">Shows progress.</param>
/// <param name="cancellation">Stops the measurement.</param>
internal sealed class SearchInputs(
    IDenoiser denoiser, string data, string? curveFile, LossCurveOptions curveOptions, string folder, TerminalOutput terminal, CancellationToken cancellation) : IDisposable
{
    private IImageSet? _images;

    /// <summary>The curve; null until it was asked for.</summary>
    public LossCurve? Measured { get; private set; }

    /// <summary>Hash of the images; null until they were asked for.</summary>
    public string? DataHash => _images?.Hash;

    /// <summary>Reads or measures the curve, once.</summary>
    public LossCurve LossCurve()
    {
        if (Measured is null && curveFile is not null)
        {
            Measured = curveOptions.ModelHash is string model ? LossCurveFile.ReadFor(curveFile, model) : LossCurveFile.Read(curveFile);
        }
        else if (Measured is null)
        {
            Measured = new LossCurveEstimator(denoiser, TrainingImages(), curveOptions).Estimate(terminal.Progress, cancellation);
            LossCurveFile.Write(Path.Combine(folder, "loss-curve.json"), Measured);
        }

        return Measured;
    }

    /// <summary>Opens the images, once.</summary>
    public ITrainingImages TrainingImages() => new TrainingImages(_images ??= ImageSets.Open(data, progress: terminal.Progress, cancellation: cancellation));

    public void Dispose() => (_images as IDisposable)?.Dispose();
}
