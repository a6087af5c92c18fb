namespace FewStep.Checkpoints;

/// <summary>Reads the state dictionaries of code bases whose options are not in the file: their names tell which.</summary>
internal static class StateDictionaryModel
{
    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string path, ModelReadOptions options)
    {
        using var state = StateDictionary.Read(path, options.Section);
        if (LatentDiffusionFile.IsOne(state.Tensors))
            return LatentDiffusionFile.Read(path, state, options);
        if (options.Loras is { Count: > 0 })
            throw new InvalidInputException($"{path} is a state dictionary of no text-to-image model; {CheckpointFormats.OfLoras}");
        return DiTCheckpoint.IsOne(state.Tensors) ? DiTCheckpoint.Read(path, state, options)
            : GuidedDiffusionModel.Read(path, state, options);
    }
}
