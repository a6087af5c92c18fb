namespace FewStep.Shards;

/// <summary>Work that can be done whole, or in shares that are joined: each kind says what determines its result, how a share is done and
/// how the parts are joined to what the whole would have given.</summary>
/// <typeparam name="TResult">What the work gives.</typeparam>
internal interface IDividedWork<TResult>
{
    /// <summary>All that determines the result, as text. Parts of one run agree in it.</summary>
    string Identity { get; }

    TResult Whole();

    /// <summary>Does what a share owns and its part lacks.</summary>
    void Do(Part part);

    /// <summary>Joins the parts. What is complete is taken at once; what is missing is refused after that, by name.</summary>
    TResult Join(Parts parts);
}
