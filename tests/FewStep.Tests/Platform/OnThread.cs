namespace FewStep.Tests.Platform;

/// <summary>Runs a test's part on a thread of its own, for libtorch's number of threads is a thread's.</summary>
internal static class OnThread
{
    public static T WithTensorThreads<T>(int threads, Func<T> body)
    {
        int before = get_num_threads();
        T result = default!;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                _ = get_num_threads(); // as in ShareThreads
                set_num_threads(threads);
                result = body();
            }
#pragma warning disable CA1031 // thrown again on the test's thread
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        set_num_threads(before); // the last number that was set is that of threads to come
        failure?.Throw();
        return result;
    }
}
