using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The weights of a part of a pipeline, wherever they lie, in the names of diffusers or transformers.</summary>
internal interface IPartWeights
{
    /// <summary>What messages call them: their file, or the index of shards.</summary>
    string Path { get; }

    /// <summary>SHA-256 of the files that hold them.</summary>
    string Hash { get; }

    /// <summary>Reads all tensors but those that are known to be of no use to a network with these parameters.</summary>
    /// <returns>Tensors in the file's types; the caller owns them.</returns>
    TensorsByName Read(ParameterLayout layout);
}
