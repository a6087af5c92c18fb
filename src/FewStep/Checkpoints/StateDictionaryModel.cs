namespace FewStep.Checkpoints;

/// <summary>Reads the state dictionaries of code bases whose options are not in the file: their names tell which.</summary>
internal static class StateDictionaryModel
{
    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string path, ModelReadOptions options)
    {
        using var state = StateDictionary.Read(path, options.Section);
        return DiTCheckpoint.IsOne(state.Tensors) ? DiTCheckpoint.Read(path, state, options)
            : GuidedDiffusionModel.Read(path, state, options);
    }
}
