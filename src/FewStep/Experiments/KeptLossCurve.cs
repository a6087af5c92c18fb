using FewStep.Data;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The loss curve beside an experiment's results, read back as long as model, images and options are the same.</summary>
internal static class KeptLossCurve
{
    /// <summary>Reads the curve, or measures and writes it. A second measurement would move the schedules by a rounding, and all on them
    /// would have to be sampled again.</summary>
    /// <param name="isReadOnly">Whether a curve that is not there is refused.</param>
    public static LossCurve Get(
        string folder, Model model, IImageSet images, LossCurveOptions options, IProgress<WorkProgress>? progress, bool isReadOnly,
        CancellationToken cancellation)
    {
        string path = Path.Combine(folder, LossCurveFile.Name);
        var store = MeasurementStore.Open(folder);
        // Not the numbers of steps: they only say which schedules' losses must be known well, and a later request may add some.
        string origin = string.Create(
            CultureInfo.InvariantCulture,
            $"model {model.Identity}, images {images.Hash}, seed {options.Seed}, {options.Points} points, regret "
                + $"{options.RelativeRegret:R}, precision {options.RelativePrecision:R}, at most {options.MaximumImages} images"
                + $"{model.ScheduleRange.Identity(model.Denoiser)}");
        if (store.LossCurve == origin && File.Exists(path))
            return LossCurveFile.Read(path);
        if (isReadOnly)
            throw SearchStore.Unprepared("the loss curve");
        var curve = model.MeasureCurve(images, options, progress, cancellation);
        LossCurveFile.Write(path, curve);
        store.LossCurve = origin;
        return curve;
    }
}
