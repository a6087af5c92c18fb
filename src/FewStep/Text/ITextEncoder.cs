namespace FewStep.Text;

/// <summary>A text encoder of a pipeline, whatever computes it: token ids to states.</summary>
internal interface ITextEncoder : IDisposable
{
    /// <summary>SHA-256 of all that determines what it computes.</summary>
    string Hash { get; }

    /// <summary>Whether it is T5's, and not CLIP's.</summary>
    bool IsT5 { get; }

    /// <summary>Whether it gives out what it projects the pooled state to.</summary>
    bool Projects { get; }

    /// <summary>Tokens that it takes at the most; null for any number, as T5 does.</summary>
    int? Positions { get; }

    /// <summary>Channels of its states.</summary>
    int Width { get; }

    /// <summary>Channels of <see cref="TextStates.Pooled"/>; null for none.</summary>
    int? PooledWidth { get; }

    /// <summary>Encodes texts.</summary>
    /// <param name="ids">Token ids int64 [B,L].</param>
    /// <param name="layer">The state that is wanted.</param>
    /// <param name="mask">1 for tokens that are read, int64 [B,L]; null for all.</param>
    /// <returns>States in the current dispose scope.</returns>
    TextStates Encode(Tensor ids, TextLayer layer, Tensor? mask = null);
}
