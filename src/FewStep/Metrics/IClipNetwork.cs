namespace FewStep.Metrics;

/// <summary>The networks of a CLIP. Dispose it.</summary>
internal interface IClipNetwork : IDisposable
{
    /// <summary>SHA-256 of all that determines what it computes.</summary>
    string Hash { get; }

    /// <summary>Embeds as many images as texts.</summary>
    /// <param name="pixels">[B,3,S,S] float32, normalised.</param>
    /// <param name="ids">Token ids int64 [B,L].</param>
    /// <param name="mask">1 where a token counts, int64 [B,L].</param>
    /// <returns>Embeddings [B,D] each; they belong to the current dispose scope.</returns>
    (Tensor Images, Tensor Texts) Embed(Tensor pixels, Tensor ids, Tensor mask);
}

/// <summary>Opens such networks; looked for by name in another assembly.</summary>
internal interface IClipFormat
{
    /// <param name="path">The file.</param>
    /// <returns>The network; the caller owns it.</returns>
    IClipNetwork Open(string path);
}
