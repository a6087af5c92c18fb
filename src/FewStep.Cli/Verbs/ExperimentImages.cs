namespace FewStep.Cli.Verbs;

/// <summary>The real images of a verb that measures. Owns the sets; dispose it.</summary>
internal sealed record ExperimentImages(string Name, IImageSet? Reference, IImageSet? Training) : IDisposable
{
    /// <summary>Opens both splits of <c>--data</c>; with <c>--reference</c> that set, and the training images only where <c>--data</c> is
    /// given as well.</summary>
    /// <param name="model">The model whose training images they are; null where there is none.</param>
    public static ExperimentImages Open(
        ExperimentFlags flags, ParseResult parsed, bool compares, Model? model, TerminalOutput terminal, CancellationToken cancellation)
    {
        var images = OpenSets(flags, parsed, compares, model, terminal, cancellation);
        try
        {
            if (model is not null && images.Reference is { } real && Captions(model, real, parsed.GetValue(flags.Samples)) is { } remark)
                terminal.Message(remark);
            return images;
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    // What a distance to captioned images compares.
    private static string? Captions(Model model, IImageSet real, int samples)
    {
        if (model.Prompts is not { Images: { } captioned, Count: var prompts })
            return null;
        bool isPaired = CaptionedImageSet.Pair(real, captioned) is not null;
        return InvariantText.Of($"{(isPaired, real.Count == prompts, samples % prompts == 0) switch
        {
            (false, _, _) => "Warning: the prompts are captions of other images than those that are compared with.",
            (_, false, _) => $"Warning: the samples are of {prompts} captions, the images that are compared with of {real.Count} of them.",
            (_, _, false) => $"Warning: a range of {samples} samples has not each of the {prompts} captions equally often, as the images "
                + $"have that are compared with; take --samples {prompts} --ranges 1.",
            _ => $"A range of {samples} samples has each of the {prompts} captions of the images that are compared with "
                + $"{(samples == prompts ? "once" : $"{samples / prompts} times")}.",
        }}").ToString();
    }

    private static ExperimentImages OpenSets(
        ExperimentFlags flags, ParseResult parsed, bool compares, Model? model, TerminalOutput terminal, CancellationToken cancellation)
    {
        var progress = terminal.Progress;
        if (model is not null && ModelImages.Own(parsed, flags.Data, model, parsed.GetValue(flags.Seed), terminal) is { } own)
            return OfOwn(flags, parsed, compares, own, progress, cancellation);
        string data = parsed.GetRequiredValue(flags.Data);
        string? reference = parsed.GetValue(flags.Reference);
        bool given = parsed.IsGiven(flags.Data);
        var held = !compares || flags.Statistics(parsed) is not null ? null
            : reference is null ? ImageSets.Open(data, DataSplit.Test, progress, cancellation)
            : ImageSets.Open(reference, null, progress, cancellation);
        try
        {
            // Beside a reference of its own, data need not have splits.
            var training = reference is null ? ImageSets.Open(data, DataSplit.Train, progress, cancellation)
                : given ? ImageSets.Open(data, null, progress, cancellation)
                : null;
            return new ExperimentImages(
                Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(reference ?? data))), held, training);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    // Samples of the model are nothing to compare it with.
    private static ExperimentImages OfOwn(ExperimentFlags flags, ParseResult parsed, bool compares, OwnSampleSet own,
        IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        if (!compares || flags.Statistics(parsed) is not null)
            return new ExperimentImages(OwnSampleSet.Name, null, own);
        string reference = parsed.GetValue(flags.Reference) ?? throw new InvalidInputException(
            "There is nothing to compare the images with: name real images with --reference, or metrics that need none with --metrics.");
        return new ExperimentImages(OwnSampleSet.Name, ImageSets.Open(reference, null, progress, cancellation), own);
    }

    public void Dispose()
    {
        Reference?.Dispose();
        Training?.Dispose();
    }
}
